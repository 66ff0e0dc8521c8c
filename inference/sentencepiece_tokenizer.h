#pragma once

#include "inference/tokenizer.h"

#include <filesystem>
#include <memory>

namespace inference {

/// From tokenizer.model and the added tokens of the folder. Throws Error; also where the program
/// was built without SentencePiece.
std::unique_ptr<Tokenizer> readSentencePiece(const std::filesystem::path& folder);

}  // namespace inference
