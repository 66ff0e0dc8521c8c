#pragma once

#include <string>
#include <vector>

namespace inference {

/// How a checkpoint names its tensors (model specification 4.1, 4.2): as the remote code's
/// InternVLChatModel, or as transformers' own InternVL in the -HF repositories, whose older ones
/// lack the leading "model.".
enum class Layout { Chat, Hf, HfWithoutModel };

/// What a tensor of the InternVLChat layout is called in the files; three names for attn.qkv where
/// it is stored in thirds, query, key and value, one behind the other.
std::vector<std::string> storedNames(const std::string& name, Layout layout);

}  // namespace inference
