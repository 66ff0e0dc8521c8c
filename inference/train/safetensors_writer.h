#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace inference::train {

struct TensorBytes {
    std::string name;
    std::string dtype;  // "F32", "BF16"
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
};

/// One safetensors file as PyTorch's users write it, whole or not at all. Throws Error.
void writeSafetensors(const std::filesystem::path& path, const std::vector<TensorBytes>& tensors);

}  // namespace inference::train
