#include "inference/tokenizer_check.h"

#include "inference/error.h"

namespace inference {
namespace {

/// Of Qwen2, 2.5 and 3 (model specification 7.1).
constexpr Tokenizer::Counts qwen{.vocabulary = 151643, .merges = 151387};

/// The counts that a checkpoint with room for Qwen's vocabulary has. A fine-tune may have been
/// given a tokenizer of its own, so other counts are a warning; merges that were lost are an error.
void checkAgainstQwen(const Tokenizer& tokenizer, ModelInfo& info)
{
    const std::string where = info.folder.string() + ": ";
    const bool two = info.tokenizer.find('+') != std::string::npos;
    const std::string mergesFile = two ? "merges.txt" : info.tokenizer;
    const std::string vocabularyFile = two ? "vocab.json" : info.tokenizer;
    const Tokenizer::Counts found = tokenizer.counts().value_or(Tokenizer::Counts{});
    // old slow tokenizers lost the merges that begin with # (7.8)
    const std::size_t hashes = tokenizer.encode("#######").size();
    if (found.vocabulary == qwen.vocabulary && hashes != 1) {
        throw Error(where + mergesFile + " lacks the merges of #, seven of them make " +
                    std::to_string(hashes) + " tokens where 1 is expected, and has " +
                    std::to_string(found.merges) + " merges where Qwen's has " +
                    std::to_string(qwen.merges) + "; it was saved by an old transformers version.");
    }
    const auto warn = [&](const std::string& file, int is, const char* what, int expected) {
        if (is != expected) {
            info.warnings.push_back(where + file + " has " + std::to_string(is) + " " + what +
                                    " where Qwen's own has " + std::to_string(expected) +
                                    "; the tokenizer is another one or was cut short.");
        }
    };
    warn(vocabularyFile, found.vocabulary, "tokens", qwen.vocabulary);
    warn(mergesFile, found.merges, "merges", qwen.merges);
}

}  // namespace

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
    if (config.language.architecture.starts_with("Qwen") &&
        config.language.vocabulary > qwen.vocabulary) {
        checkAgainstQwen(tokenizer, info);
    }
}

}  // namespace inference
