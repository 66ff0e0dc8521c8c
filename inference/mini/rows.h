#pragma once

#include "inference/mini/sample.h"

#include <string>
#include <string_view>

namespace inference::mini {

/// One question as a line of conversation JSON, in the layout that InternVL's training code and
/// ms-swift read: "image", "width", "height", "conversations" (from human and gpt, with <image>),
/// and under "truth" what grades it: scene, kind, answer, boxes, objects; boxes in percent.
/// Text that is not UTF-8 cannot occur. No newline at the end.
std::string conversationRow(const Sample& sample, const Record& record, std::string_view image,
                            std::string_view id);

}  // namespace inference::mini
