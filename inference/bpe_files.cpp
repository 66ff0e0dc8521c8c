#include "inference/bpe_tokenizer.h"
#include "inference/error.h"
#include "inference/pretokenizer.h"
#include "inference/utf8.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace inference {

namespace {

using nlohmann::json;

constexpr TokenId largestId = 1 << 24;

/// Collects {"token": id, ...} without building a tree of it.
class VocabularyReader : public json::json_sax_t {
public:
    std::vector<std::pair<std::string, TokenId>> tokens;
    std::string problem;

    bool key(string_t& value) override
    {
        m_key = std::move(value);
        return true;
    }
    bool number_integer(number_integer_t value) override { return take(value); }
    bool number_unsigned(number_unsigned_t value) override
    {
        return take(value > number_unsigned_t(largestId) ? -1 : number_integer_t(value));
    }
    bool start_object(std::size_t) override { return m_depth++ == 0 || wrong("an object inside"); }
    bool end_object() override { return true; }
    bool null() override { return wrong("null"); }
    bool boolean(bool) override { return wrong("a truth value"); }
    bool number_float(number_float_t, const string_t&) override { return wrong("a fraction"); }
    bool string(string_t&) override { return wrong("a string"); }
    bool binary(binary_t&) override { return wrong("binary data"); }
    bool start_array(std::size_t) override { return wrong("a list"); }
    bool end_array() override { return wrong("a list"); }
    bool parse_error(std::size_t place, const std::string&,
                     const nlohmann::detail::exception&) override
    {
        problem = "it breaks off or is not JSON at byte " + std::to_string(place) +
            ", perhaps an incomplete download";
        return false;
    }

private:
    bool wrong(const char* what)
    {
        problem = std::string("it holds ") + what + " where token ids are expected";
        return false;
    }
    bool take(number_integer_t id)
    {
        if (m_depth == 0 || id < 0 || id > largestId) {
            return wrong("a number out of range");
        }
        tokens.emplace_back(std::move(m_key), TokenId(id));
        return true;
    }

    std::string m_key;
    int m_depth = 0;
};

std::ifstream open(const std::filesystem::path& file)
{
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        throw Error("The file " + file.string() + " is missing or cannot be read.");
    }
    return stream;
}

std::vector<std::pair<std::string, TokenId>> readVocabulary(const std::filesystem::path& file)
{
    std::ostringstream content;
    content << open(file).rdbuf();
    VocabularyReader reader;
    if (!json::sax_parse(std::move(content).str(), &reader)) {
        throw Error("The vocabulary " + file.string() + " cannot be used: " + reader.problem + ".");
    }
    return std::move(reader.tokens);
}

/// "left right"
std::pair<std::string, std::string> splitMerge(const std::filesystem::path& file,
                                               std::size_t number, const std::string& text)
{
    const std::size_t space = text.find(' ');
    if (space == 0 || space == std::string::npos || space + 1 == text.size() ||
        firstBadByte(text)) {
        throw Error("Merge " + std::to_string(number) + " of " + file.string() +
                    " is not two tokens with a space between them; the file is damaged.");
    }
    return {text.substr(0, space), text.substr(space + 1)};
}

std::vector<std::pair<std::string, std::string>> readMerges(const std::filesystem::path& file)
{
    std::ifstream stream = open(file);
    std::vector<std::pair<std::string, std::string>> merges;
    std::string line;
    for (bool first = true; std::getline(stream, line); first = false) {
        if (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        // Other lines that begin with # are merges (model specification 7.8).
        if (line.empty() || (first && line.starts_with("#version"))) {
            continue;
        }
        merges.push_back(splitMerge(file, merges.size() + 1, line));
    }
    return merges;
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what)
{
    throw Error("The tokenizer in " + file.string() + " is of another kind: " + what +
                "; byte-level BPE as in Qwen2 is expected.");
}

/// All entries of a Sequence, or the one there is.
std::vector<json> steps(const json& part, const char* list)
{
    if (!part.is_object()) {
        return {};
    }
    if (part.value("type", "") == "Sequence") {
        return part.at(list).get<std::vector<json>>();
    }
    return {part};
}

bool readNormalizer(const std::filesystem::path& file, const json& root)
{
    bool nfc = false;
    for (const json& step : steps(root.value("normalizer", json()), "normalizers")) {
        if (step.value("type", "") != "NFC") {
            refuse(file, "its normalizer is " + step.value("type", "unknown"));
        }
        nfc = true;
    }
    return nfc;
}

void checkPreTokenizer(const std::filesystem::path& file, const json& root)
{
    bool words = false, bytes = false;
    for (const json& step : steps(root.value("pre_tokenizer", json()), "pretokenizers")) {
        const std::string type = step.value("type", "");
        if (type == "Split") {
            const json pattern = step.value("pattern", json::object());
            if (pattern.value("Regex", "") != wordPattern) {
                refuse(file, "it splits words by the pattern " + pattern.value("Regex", "(none)"));
            }
            words = true;
        } else if (type == "ByteLevel" && !step.value("add_prefix_space", false)) {
            bytes = true;
        } else {
            refuse(file, "its pre-tokenizer has the step " + type);
        }
    }
    if (!words || !bytes) {
        refuse(file, "its pre-tokenizer does not split words and map bytes");
    }
}

}  // namespace

std::unique_ptr<Tokenizer> readBpeFiles(const std::filesystem::path& folder)
{
    BpeParts parts;
    parts.vocabularyFile = folder / "vocab.json";
    parts.mergesFile = folder / "merges.txt";
    std::error_code ignored;
    const std::filesystem::path configFile = folder / "tokenizer_config.json";
    if (std::filesystem::exists(configFile, ignored)) {
        const json config = readJson(configFile);
        const json type =
            config.is_object() ? config.value("tokenizer_class", json("Qwen2Tokenizer")) : json();
        if (type != "Qwen2Tokenizer" && type != "Qwen2TokenizerFast") {
            throw Error("The file " + configFile.string() + " asks for the tokenizer class " +
                        type.dump() +
                        "; Qwen2Tokenizer is expected beside vocab.json and merges.txt.");
        }
    }
    parts.vocabulary = readVocabulary(parts.vocabularyFile);
    parts.merges = readMerges(parts.mergesFile);
    parts.added = readAddedTokens(folder);
    return std::make_unique<BpeTokenizer>(parts);
}

std::unique_ptr<Tokenizer> readTokenizerJson(const std::filesystem::path& file)
{
    BpeParts parts;
    parts.vocabularyFile = parts.mergesFile = file;
    const json root = readJson(file);
    try {
        const json& model = root.at("model");
        if (model.value("type", "BPE") != "BPE") {
            refuse(file, "its model is " + model.value("type", ""));
        }
        if (model.value("byte_fallback", false)) {
            refuse(file, "it falls back to bytes as SentencePiece does");
        }
        if (model.value("ignore_merges", false)) {
            refuse(file, "it looks whole words up before merging");
        }
        parts.normalize = readNormalizer(file, root);
        checkPreTokenizer(file, root);
        for (const auto& [spelling, id] : model.at("vocab").items()) {
            const auto number = id.get<std::int64_t>();
            if (number < 0 || number > largestId) {
                throw Error("The file " + file.string() + " gives a token the id " +
                            std::to_string(number) + ".");
            }
            parts.vocabulary.emplace_back(spelling, TokenId(number));
        }
        for (const json& merge : model.at("merges")) {
            if (merge.is_array()) {
                parts.merges.emplace_back(merge.at(0).get<std::string>(),
                                          merge.at(1).get<std::string>());
            } else {
                parts.merges.push_back(
                    splitMerge(file, parts.merges.size() + 1, merge.get<std::string>()));
            }
        }
        for (const json& token : root.value("added_tokens", json::array())) {
            const auto id = token.at("id").get<std::int64_t>();
            const auto spelling = token.at("content").get<std::string>();
            if (spelling.empty() || id < 0 || id > largestId) {
                throw Error("The file " + file.string() + " has an added token \"" + spelling +
                            "\" with the id " + std::to_string(id) + ".");
            }
            checkAddedTokenFlags(file, token);
            parts.added.push_back({TokenId(id), spelling, token.value("special", false)});
        }
    } catch (const json::exception& error) {
        throw Error("The file " + file.string() +
                    " is not a tokenizer.json of the expected form (" + error.what() + ").");
    }
    return std::make_unique<BpeTokenizer>(parts);
}

}  // namespace inference
