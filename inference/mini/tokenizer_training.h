#pragma once

#include <cstdint>
#include <filesystem>

namespace inference::mini {

struct TokenizerOptions {
    std::uint64_t seed = 1;
    int pictures = 3000;  // whose questions and answers are the text
    int pieces = 1600;    // at most; fewer where the text has no more
};

/// Trains a SentencePiece BPE on generated text and writes tokenizer.model, added_tokens.json and
/// tokenizer_config.json. Two-digit numbers are single pieces, with and without a space in front;
/// bytes stand for what is not covered; nothing is normalised. The same options give the same
/// bytes. Throws Error, also where the program was built without SentencePiece.
void trainTokenizer(const std::filesystem::path& folder, const TokenizerOptions& options = {});

}  // namespace inference::mini
