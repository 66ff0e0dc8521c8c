#pragma once

#include "inference/config.h"
#include "inference/engine.h"
#include "inference/tokenizer.h"

namespace inference {

/// The tokenizer's part of model specification 13: it has the tokens that prompts are made of, no
/// more than config.json allows, and for a Qwen the merges of # and Qwen's own counts. What it is
/// goes into `info`, with a warning where only the counts differ. Throws Error.
void checkTokenizer(const Tokenizer& tokenizer, const ModelConfig& config, ModelInfo& info);

}  // namespace inference
