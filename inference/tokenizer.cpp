#include "inference/tokenizer.h"

#include "inference/bpe_tokenizer.h"
#include "inference/error.h"
#include "inference/sentencepiece_tokenizer.h"
#include "inference/utf8.h"

namespace inference {

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skipSpecial) const
{
    std::string all;
    for (const TokenId id : ids) {
        if (!skipSpecial || !isSpecial(id)) {
            all += bytes(id);
        }
    }
    return withoutBadBytes(all);
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
    if (has("tokenizer.json")) {
        return readTokenizerJson(folder / "tokenizer.json");
    }
    if (has("tokenizer.model")) {
        return readSentencePiece(folder);
    }
    if (has("vocab.json") || has("merges.txt")) {
        return readBpeFiles(folder);  // says which of the two is missing
    }
    throw Error("The folder " + folder.string() +
                " has no tokenizer: vocab.json with merges.txt, tokenizer.json or tokenizer.model "
                "is expected.");
}

}  // namespace inference
