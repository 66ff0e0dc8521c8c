#pragma once

#include "inference/engine.h"
#include "inference/tokenizer.h"

#include <string>
#include <vector>

namespace inference {

/// The request as the model reads it.
struct Prompt {
    std::vector<TokenId> ids;       // image context tokens included
    std::vector<ImageUse> images;   // in order of appearance
};

/// The system message's text; empty for None.
std::string systemText(const SystemPrompt& system);

/// Template "internvl2_5" (model specification 6). Control tokens typed by the user stay text.
/// Throws Error where marks and pictures do not match in number.
Prompt buildPrompt(const Request& request, const Tokenizer& tokenizer, TilingOptions tiling);

}  // namespace inference
