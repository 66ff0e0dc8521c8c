#pragma once

#include <cstddef>
#include <string_view>

namespace inference {

/// Where the word that begins at `at` ends: Qwen2's pre-tokenizer pattern (model specification 7.3)
///   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*
///   |\s*[\r\n]+|\s+(?!\S)|\s+
/// scanned by hand. `text` is UTF-8, `at` the beginning of a character below its end.
std::size_t wordEnd(std::string_view text, std::size_t at);

/// The pattern as tokenizer.json spells it.
extern const std::string_view wordPattern;

}  // namespace inference
