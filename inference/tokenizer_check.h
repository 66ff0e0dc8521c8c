#pragma once

#include "inference/config.h"
#include "inference/engine.h"
#include "inference/tokenizer.h"

namespace inference {

/// The tokenizer's part of model specification 13: it has the tokens that prompts are made of, and
/// no more than config.json allows. What it is goes into `info`. Throws Error.
void checkTokenizer(const Tokenizer& tokenizer, const ModelConfig& config, ModelInfo& info);

}  // namespace inference
