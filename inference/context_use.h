#pragma once

#include "inference/engine.h"
#include "inference/prompt.h"
#include "inference/tiling.h"

namespace inference {

/// The ledger of a request whose prompt is built already; its `problem` says by how much the
/// request is too long, what costs how much, and what would fit.
ContextUse contextUse(const Prompt& prompt, const Request& request, const TilingOptions& tiling,
                      int contextLength);

}  // namespace inference
