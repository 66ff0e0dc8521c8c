#include "inference/added_tokens.h"

#include "inference/error.h"
#include "inference/utf8.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace inference {

namespace {

using nlohmann::json;

constexpr TokenId largestId = 1 << 24;

/// What InternVL leaves in text where no file says so.
bool isSpecialByName(std::string_view spelling)
{
    static const std::set<std::string_view> shown{
        "<tool_call>",    "</tool_call>", "<tool_response>", "</tool_response>",
        "<think>",        "</think>",     "<|fim_prefix|>",  "<|fim_middle|>",
        "<|fim_suffix|>", "<|fim_pad|>",  "<|repo_name|>",   "<|file_sep|>"};
    return !shown.contains(spelling);
}

void checkToken(const std::filesystem::path& file, std::string_view spelling, std::int64_t id)
{
    if (spelling.empty() || firstBadByte(spelling) || id < 0 || id > largestId) {
        throw Error("The file " + file.string() + " has an added token \"" + std::string(spelling) +
                    "\" with the id " + std::to_string(id) + "; a spelling and an id of 0.." +
                    std::to_string(largestId) + " are expected.");
    }
}

/// "<|im_end|>" or {"content": "<|im_end|>", ...}
std::string contentOf(const json& token)
{
    if (token.is_string()) {
        return token.get<std::string>();
    }
    return token.is_object() ? token.value("content", std::string()) : std::string();
}

/// The spellings that special_tokens_map.json or tokenizer_config.json name as special.
std::set<std::string> namedSpecial(const json& config)
{
    std::set<std::string> names;
    for (const char* key :
         {"eos_token", "bos_token", "pad_token", "unk_token", "sep_token", "cls_token"}) {
        if (config.contains(key)) {
            names.insert(contentOf(config[key]));
        }
    }
    if (config.contains("additional_special_tokens") &&
        config["additional_special_tokens"].is_array()) {
        for (const json& token : config["additional_special_tokens"]) {
            names.insert(contentOf(token));
        }
    }
    return names;
}

}  // namespace

void checkAddedTokenFlags(const std::filesystem::path& file, const json& token)
{
    for (const char* flag : {"lstrip", "rstrip", "single_word"}) {
        if (token.is_object() && token.value(flag, false)) {
            throw Error("The file " + file.string() + " has an added token \"" +
                        token.value("content", std::string()) + "\" with " + flag +
                        ", which is not done here; its tokenizer is of another model family.");
        }
    }
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens)
    : m_tokens(std::move(tokens))
{
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        m_bySpelling.emplace(m_tokens[i].spelling, i);
        m_byId.emplace(m_tokens[i].id, i);
        m_byFirstByte[static_cast<unsigned char>(m_tokens[i].spelling.front())].push_back(i);
    }
    for (auto& indices : m_byFirstByte) {
        std::stable_sort(indices.begin(), indices.end(), [this](std::size_t a, std::size_t b) {
            return m_tokens[a].spelling.size() > m_tokens[b].spelling.size();
        });
    }
}

const AddedToken* AddedTokens::find(std::string_view spelling) const
{
    const auto found = m_bySpelling.find(spelling);
    return found == m_bySpelling.end() ? nullptr : &m_tokens[found->second];
}

const AddedToken* AddedTokens::find(TokenId id) const
{
    const auto found = m_byId.find(id);
    return found == m_byId.end() ? nullptr : &m_tokens[found->second];
}

void AddedTokens::split(std::string_view text, const std::function<void(std::string_view)>& plain,
                        const std::function<void(const AddedToken&)>& added) const
{
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const AddedToken* found = nullptr;
        for (const std::size_t index : m_byFirstByte[static_cast<unsigned char>(text[at])]) {
            if (text.substr(at).starts_with(m_tokens[index].spelling)) {
                found = &m_tokens[index];
                break;
            }
        }
        if (!found) {
            ++at;
            continue;
        }
        if (at > begin) {
            plain(text.substr(begin, at - begin));
        }
        added(*found);
        at += found->spelling.size();
        begin = at;
    }
    if (begin < text.size()) {
        plain(text.substr(begin));
    }
}

json readJson(const std::filesystem::path& file)
{
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        throw Error("The file " + file.string() + " cannot be read.");
    }
    try {
        return json::parse(stream);
    } catch (const json::exception& error) {
        throw Error("The file " + file.string() +
                    " is not valid JSON, perhaps an incomplete download (" + error.what() + ").");
    }
}

std::vector<AddedToken> readAddedTokens(const std::filesystem::path& folder)
{
    std::map<std::string, AddedToken> tokens;
    std::error_code ignored;
    const std::filesystem::path list = folder / "added_tokens.json";
    const std::filesystem::path configFile = folder / "tokenizer_config.json";
    const std::filesystem::path mapFile = folder / "special_tokens_map.json";
    try {
        std::set<std::string> special;
        bool specialKnown = false;
        for (const std::filesystem::path& file : {mapFile, configFile}) {
            if (std::filesystem::exists(file, ignored)) {
                const std::set<std::string> names = namedSpecial(readJson(file));
                special.insert(names.begin(), names.end());
                specialKnown = specialKnown || names.size() > 2;
            }
        }
        if (std::filesystem::exists(list, ignored)) {
            const json content = readJson(list);
            for (const auto& [spelling, id] : content.items()) {
                checkToken(list, spelling, id.get<std::int64_t>());
                const bool isSpecial =
                    specialKnown ? special.contains(spelling) : isSpecialByName(spelling);
                tokens[spelling] = {id.get<TokenId>(), spelling, isSpecial};
            }
        }
        if (std::filesystem::exists(configFile, ignored)) {
            const json config = readJson(configFile);
            const json decoder = config.value("added_tokens_decoder", json::object());
            for (const auto& [key, entry] : decoder.items()) {
                std::int64_t id = -1;
                std::from_chars(key.data(), key.data() + key.size(), id);
                const std::string spelling = contentOf(entry);
                checkToken(configFile, spelling, id);
                checkAddedTokenFlags(configFile, entry);
                if (const auto known = tokens.find(spelling);
                    known != tokens.end() && known->second.id != id) {
                    throw Error("The token \"" + spelling + "\" has the id " +
                                std::to_string(known->second.id) + " in " + list.string() +
                                " but " + std::to_string(id) + " in " + configFile.string() +
                                "; the files are probably from different models.");
                }
                tokens[spelling] = {TokenId(id), spelling, entry.value("special", false)};
            }
        }
    } catch (const json::exception& error) {
        throw Error("The added tokens in " + folder.string() +
                    " (added_tokens.json, tokenizer_config.json) are not of the expected form (" +
                    error.what() + ").");
    }
    std::vector<AddedToken> sorted;
    sorted.reserve(tokens.size());
    for (auto& [spelling, token] : tokens) {
        sorted.push_back(token);
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
    return sorted;
}

}  // namespace inference
