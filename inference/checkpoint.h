#pragma once

#include "inference/config.h"
#include "inference/engine.h"
#include "inference/layout.h"
#include "inference/safetensors.h"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace inference {

/// A checkpoint folder, opened and checked: config.json, the index or the single file, and every
/// safetensors header. The weights stay on disk until tensor() is used.
class Checkpoint {
public:
    /// Throws Error where anything of it is missing, damaged or not computed by this version.
    explicit Checkpoint(const std::filesystem::path& folder);

    const ModelConfig& config() const { return m_config; }
    const ModelInfo& info() const { return m_info; }
    bool contains(const std::string& stored) const { return m_places.contains(stored); }
    /// What a tensor of the InternVLChat layout is called here: one name, or three of its thirds.
    std::vector<std::string> names(const std::string& name) const
    {
        return storedNames(name, m_layout);
    }

    /// The tensor as stored, without a copy: its bytes are the mapped file (read-only), which stays
    /// mapped as long as the tensor lives. Copied only where the file does not align it. `stored`
    /// is one of names().
    at::Tensor tensor(const std::string& stored) const;
    /// The tensor's bytes in the mapped file.
    std::span<const std::byte> bytes(const std::string& stored) const;

private:
    struct Place {
        const SafetensorsFile* file;
        const StoredTensor* tensor;
    };

    void openShards(const std::string& index);
    void openSingleFile();
    void addFile(const std::filesystem::path& path);
    /// expectedTensors() by their names and shapes in the files.
    std::vector<TensorShape> storedTensors() const;
    void checkTensors() const;
    void describe(const std::string& configText, const std::string& index);

    std::filesystem::path m_folder;
    ModelConfig m_config;
    Layout m_layout = Layout::Chat;
    ModelInfo m_info;
    std::vector<std::unique_ptr<SafetensorsFile>> m_files;  // sorted by name
    std::unordered_map<std::string, Place> m_places;
};

}  // namespace inference
