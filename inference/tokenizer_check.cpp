#include "inference/tokenizer_check.h"

#include "inference/error.h"

namespace inference {

void checkTokenizer(const Tokenizer& tokenizer, const ModelConfig& config, ModelInfo& info)
{
    const std::string where = info.folder.string() + ": ";
    for (const char* token : {"<IMG_CONTEXT>", "<img>", "</img>", "<|im_start|>", "<|im_end|>"}) {
        if (!tokenizer.control(token)) {
            throw Error(where + "the tokenizer has no token " + token +
                        "; its files are of another model or added_tokens.json is missing.");
        }
    }
    if (tokenizer.size() > config.language.vocabulary) {
        throw Error(where + "the tokenizer has " + std::to_string(tokenizer.size()) +
                    " tokens where config.json allows " +
                    std::to_string(config.language.vocabulary) +
                    "; its files are of another model.");
    }
    info.tokenizer = tokenizerFiles(info.folder);
    info.tokens = tokenizer.size();
    // The vocabulary of Qwen2, 2.5 and 3. Old slow tokenizers lost the merges that begin with #
    // (model specification 7.8).
    constexpr int qwenTokens = 151643;
    const bool qwen = config.language.architecture.starts_with("Qwen");
    const std::size_t hashes = tokenizer.encode("#######").size();
    if (tokenizer.size() > qwenTokens && qwen && hashes != 1) {
        throw Error(where + "merges.txt lacks the merges of #, seven of them make " +
                    std::to_string(hashes) +
                    " tokens where 1 is expected; it was saved by an old transformers version.");
    }
    if (tokenizer.size() <= qwenTokens && qwen && config.language.vocabulary > qwenTokens) {
        info.warnings.push_back("The tokenizer has " + std::to_string(tokenizer.size()) +
                                " tokens where Qwen's own has more than " +
                                std::to_string(qwenTokens) + ".");
    }
}

}  // namespace inference
