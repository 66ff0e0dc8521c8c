#include "inference/tokenizer.h"

#include "inference/bpe_tokenizer.h"
#include "inference/error.h"
#include "inference/sentencepiece_tokenizer.h"
#include "inference/utf8.h"

#include <utility>

namespace inference {

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skipSpecial) const
{
    std::string all;
    for (const TokenId id : ids) {
        if (!skipSpecial || !isSpecial(id)) {
            all += bytes(id);
        }
    }
    return textOf(all);
}

std::string Tokenizer::textOf(std::string_view bytes) const
{
    return withoutBadBytes(bytes);
}

std::string cleanedUp(std::string_view text)
{
    std::string clean(text);
    for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>(" .", "."),
                                   {" ?", "?"},
                                   {" !", "!"},
                                   {" ,", ","},
                                   {" ' ", "'"},
                                   {" n't", "n't"},
                                   {" 'm", "'m"},
                                   {" 's", "'s"},
                                   {" 've", "'ve"},
                                   {" 're", "'re"}}) {
        for (std::size_t at = clean.find(from); at != std::string::npos;
             at = clean.find(from, at + to.size())) {
            clean.replace(at, from.size(), to);
        }
    }
    return clean;
}

std::size_t uncleanedBytes(std::string_view text)
{
    // what is replaced, by what, and what that may lead to, is made of these characters
    const std::size_t other = text.find_last_not_of(" .?!,'ntmsver");
    const std::size_t begin = text.find(' ', other == std::string_view::npos ? 0 : other + 1);
    return begin == std::string_view::npos ? 0 : text.size() - begin;
}

std::string tokenizerFiles(const std::filesystem::path& folder)
{
    std::error_code ignored;
    const auto has = [&](const char* name) {
        return std::filesystem::exists(folder / name, ignored);
    };
    return has("vocab.json") && has("merges.txt") ? "vocab.json + merges.txt"
        : has("tokenizer.model")                  ? "tokenizer.model"
        : has("tokenizer.json")                   ? "tokenizer.json"
                                                  : "";
}

std::unique_ptr<Tokenizer> loadTokenizer(const std::filesystem::path& folder)
{
    std::error_code ignored;
    const auto has = [&](const char* name) {
        return std::filesystem::exists(folder / name, ignored);
    };
    if (has("vocab.json") && has("merges.txt")) {
        return readBpeFiles(folder);
    }
    if (has("tokenizer.model")) {  // before tokenizer.json, its translation to another library
        return readSentencePiece(folder);
    }
    if (has("tokenizer.json")) {
        return readTokenizerJson(folder / "tokenizer.json");
    }
    if (has("vocab.json") || has("merges.txt")) {
        return readBpeFiles(folder);  // says which of the two is missing
    }
    throw Error("The folder " + folder.string() +
                " has no tokenizer: vocab.json with merges.txt, tokenizer.json or tokenizer.model "
                "is expected.");
}

}  // namespace inference
