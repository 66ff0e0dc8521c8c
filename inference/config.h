#pragma once

#include "inference/tiling.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace inference {

/// InternViT: `vision_config`. Widths in channels, sizes in pixels.
struct VisionConfig {
    std::string tower;    // "InternViT-300M", a row of towers.h
    int imageSize = 224;  // the position embedding's grid is imageSize / patchSize on each side
    int patchSize = 14;
    int hiddenSize = 0, intermediateSize = 0;
    int layers = 0, heads = 0;
    double layerNormEps = 1e-6;
};

/// `llm_config`, or `text_config` in the layout of the -HF repositories.
struct LanguageConfig {
    std::string architecture;  // "Qwen3ForCausalLM", a row of decoders.h
    int hiddenSize = 0, intermediateSize = 0;
    int layers = 0, heads = 0, kvHeads = 0, headDim = 128;
    int vocabulary = 0;
    int maxPositions = 32768;
    double rmsNormEps = 1e-6, ropeTheta = 10000;
    double ropeFactor = 1;  // beyond maxPositions positions are stretched, up to so many times more
    bool tiedHead = false;  // lm_head is embed_tokens

    /// Tokens a conversation may have.
    int contextLength() const { return int(maxPositions * ropeFactor); }
};

/// What of config.json decides the computation (model specification 1.1).
struct ModelConfig {
    std::string name;          // _name_or_path, perhaps empty
    std::string architecture;  // "InternVLChatModel" or "InternVLForConditionalGeneration"
    bool hfNative = false;     // the tensors' names are those of the -HF repositories
    std::string chatTemplate;  // "internvl2_5"
    int tileSize = 448;        // pixels
    bool thumbnail = false;
    int minTiles = 1, maxTiles = 6;
    bool demonstration = false;  // kvl_demonstration: what it is for, in a word or two
    VisionConfig vision;
    LanguageConfig language;
    /// Missing keys whose default, the remote code's, differs from what is published.
    std::vector<std::string> warnings;

    int patchesPerSide() const { return tileSize / vision.patchSize; }
    /// Pixel shuffle joins 2 x 2 patches to a token.
    int tokensPerTile() const { return patchesPerSide() / 2 * (patchesPerSide() / 2); }
    TilingOptions tiling() const;
};

/// Missing keys get the defaults of the model's own classes. Throws Error, naming `file` and the
/// field, where the text is not JSON, a field has no sensible value, or the model is one that is
/// not computed here (model specification 13).
ModelConfig parseConfig(std::string_view json, const std::filesystem::path& file);
/// That of a checkpoint's folder; nothing else of it is read. Throws Error as above, and where
/// there is none.
ModelConfig readConfig(const std::filesystem::path& checkpoint);

struct TensorShape {
    std::string name;
    std::vector<std::int64_t> shape;
};

/// Every tensor the checkpoint has to hold (model specification 4.1), by its name in the
/// InternVLChat layout; lm_head is left out where it is tied.
std::vector<TensorShape> expectedTensors(const ModelConfig& config);

}  // namespace inference
