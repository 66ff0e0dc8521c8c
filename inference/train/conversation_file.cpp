#include "inference/train/conversation_file.h"

#include "inference/error.h"
#include "inference/prompt.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace inference::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string quoted(const std::string& text)
{
    return '"' + text.substr(0, 60) + (text.size() > 60 ? "..." : "") + '"';
}

/// The field as text.
std::string textOf(const json& object, const char* field, const std::string& where)
{
    const auto at = object.find(field);
    if (at == object.end()) {
        throw Error(where + " has no \"" + field + "\".");
    }
    if (!at->is_string()) {
        throw Error(where + " has a \"" + field + "\" that is " + at->type_name() +
                    " where a text is expected.");
    }
    return at->get<std::string>();
}

/// "image": a name or a list of names; "images": a list, ms-swift's entries may be {"path": name}.
std::vector<std::string> picturesOf(const json& row)
{
    std::vector<std::string> names;
    for (const char* field : {"image", "images"}) {
        const auto at = row.find(field);
        if (at == row.end() || at->is_null()) {
            continue;
        }
        if (!names.empty()) {
            throw Error("The row has both \"image\" and \"images\"; one of them is expected.");
        }
        for (const json& item : at->is_array() ? *at : json::array({*at})) {
            const json& name = item.is_object() && item.contains("path") ? item["path"] : item;
            if (!name.is_string() || name.get_ref<const std::string&>().empty()) {
                throw Error(std::string("\"") + field + "\" holds " + item.dump().substr(0, 60) +
                            " where the name of a file is expected.");
            }
            names.push_back(name.get<std::string>());
        }
    }
    return names;
}

struct Turn {
    std::string role, text;
};

std::vector<Turn> turnsOf(const json& row)
{
    const bool swift = row.contains("messages");
    const char* const field = swift ? "messages" : "conversations";
    const auto at = row.find(field);
    if (at == row.end() || !at->is_array() || at->empty()) {
        throw Error("The row has no list \"conversations\" of {from, value} or \"messages\" of "
                    "{role, content}.");
    }
    std::vector<Turn> turns;
    for (const json& item : *at) {
        const std::string where =
            std::string("Message ") + std::to_string(turns.size() + 1) + " of \"" + field + "\"";
        if (!item.is_object()) {
            throw Error(where + " is " + item.type_name() + " where an object is expected.");
        }
        turns.push_back({textOf(item, swift ? "role" : "from", where),
                         textOf(item, swift ? "content" : "value", where)});
    }
    return turns;
}

/// "human" and "user" ask, "gpt" and "assistant" answer, by turns, beginning with a question.
void addTurn(const Turn& turn, std::size_t number, Request& request)
{
    const bool first = request.messages.empty();
    if (turn.role == "system" && first && number == 1) {
        request.system = {SystemPrompt::Preset::Own, turn.text};
        return;
    }
    const bool asks = turn.role == "human" || turn.role == "user";
    const bool answers = turn.role == "gpt" || turn.role == "assistant";
    const bool question = first || request.messages.back().role == Role::Assistant;
    const std::string where = "Message " + std::to_string(number);
    if ((!asks && !answers) || asks != question) {
        throw Error(where + " is of " + quoted(turn.role) + " where " +
                    (question ? "a question (\"human\" or \"user\")"
                              : "an answer (\"gpt\" or \"assistant\")") +
                    " is expected.");
    }
    if (turn.text.empty()) {
        throw Error(where + " is empty where a " + (asks ? "question" : "answer") +
                    " is expected.");
    }
    request.messages.push_back({asks ? Role::User : Role::Assistant, turn.text, {}});
}

}  // namespace

ConversationFile::ConversationFile(const fs::path& file, Options options)
    : m_file(file)
    , m_options(std::move(options))
{
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw Error(file.string() + " cannot be read: " + std::strerror(errno) +
                    "; a JSONL file, one conversation a line, is expected.");
    }
    if (m_options.imageRoot.empty()) {
        m_options.imageRoot = file.parent_path();
    }
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) {
            continue;
        }
        try {
            Row row = parse(line);
            row.line = number;
            m_rows.push_back(std::move(row));
        } catch (const Error& error) {
            m_bad.push_back({m_file.string() + ":" + std::to_string(number), error.what()});
        }
    }
}

ConversationFile::Row ConversationFile::parse(const std::string& line) const
{
    const json row = json::parse(line, nullptr, false);
    if (!row.is_object()) {
        throw Error("The line is no JSON object: " + quoted(line) + ".");
    }
    Row result;
    result.request.system = m_options.system;
    result.request.maxTiles = m_options.maxTiles;
    std::size_t number = 0;
    for (const Turn& turn : turnsOf(row)) {
        addTurn(turn, ++number, result.request);
    }
    if (result.request.messages.empty() || result.request.messages.back().role == Role::User) {
        throw Error("The conversation ends with a question where an answer to learn is expected.");
    }

    const std::vector<std::string> pictures = picturesOf(row);
    result.pictures.resize(result.request.messages.size());
    std::size_t next = 0, marks = 0;
    for (std::size_t i = 0; i < result.pictures.size(); i += 2) {
        const std::size_t wanted = marksIn(result.request.messages[i].text);
        marks += wanted;
        for (std::size_t k = 0; k < wanted && next < pictures.size(); ++k) {
            result.pictures[i].push_back(pictures[next++]);
        }
    }
    if (marks == 0) {
        result.pictures.front() = pictures;  // marks are put in front
    } else if (marks != pictures.size()) {
        throw Error("The row has " + std::to_string(marks) + " <image> marks and " +
                    std::to_string(pictures.size()) + " pictures; each picture needs one mark.");
    }
    for (std::vector<std::string>& names : result.pictures) {
        for (std::string& name : names) {
            name = (m_options.imageRoot / name).string();
            std::error_code error;
            if (!fs::is_regular_file(name, error)) {
                throw Error("The picture " + name +
                            " does not exist; paths are relative to the file's folder unless "
                            "another is given.");
            }
        }
    }
    return result;
}

Item ConversationFile::at(std::int64_t index) const
{
    const Row& row = m_rows.at(std::size_t(index));
    Request request = row.request;
    for (std::size_t i = 0; i < row.pictures.size(); ++i) {
        for (const std::string& name : row.pictures[i]) {
            request.messages[i].images.push_back(m_options.openImage(name));
        }
    }
    return {{std::move(request)}, {}};
}

std::string ConversationFile::where(std::int64_t index) const
{
    return m_file.string() + ":" + std::to_string(m_rows.at(std::size_t(index)).line);
}

}  // namespace inference::train
