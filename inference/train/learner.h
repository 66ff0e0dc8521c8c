#pragma once

#include "inference/checkpoint.h"
#include "inference/image.h"
#include "inference/language.h"
#include "inference/prompt.h"
#include "inference/tokenizer.h"
#include "inference/train/conversations.h"
#include "inference/train/dense_head.h"
#include "inference/train/parameters.h"
#include "inference/vision.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inference::train {

/// A conversation as the model computes it.
struct Example {
    std::vector<TokenId> ids;
    std::vector<bool> learnt;  // of each id: the model has to write it
    std::vector<Image> tiles;  // of all pictures, in order
    bool sharesTiles = false;  // those of the example before, which are computed once for both
    std::vector<mini::Object> objects;  // in the picture, for the dense warm-up

    /// Tokens that count in the loss; the first token follows nothing.
    std::int64_t targets() const;
};

/// The model of a checkpoint, the very one that answers, with weights that change.
class Learner {
public:
    struct Options {
        at::Device device = at::kCPU;
        at::ScalarType dtype = at::kFloat;
        Frozen frozen;
        LoRa lora = {};
        bool recompute = false;  // keep a layer's input only
        bool dense = false;      // learn where objects are (dense_head.h) instead of words
        double denseShare = 0;  // beside the words: this much of the head's loss a picture is added
        std::uint64_t seed = 0;  // of the head that is thrown away
    };

    /// Throws Error, OutOfMemory, Cancelled.
    Learner(const Checkpoint& checkpoint, const Options& options, const OnProgress& onProgress,
            const std::stop_token& stop);

    /// The conversations' tokens; the first has the tiles. Any thread. Throws Error.
    std::vector<Example> prepare(const Item& item) const;
    /// Cross-entropy summed over the targets of all examples, packed one behind the other. In the
    /// dense warm-up that of the head, summed over the pictures.
    at::Tensor loss(std::span<const Example> examples) const;
    /// What loss() is divided by.
    std::int64_t weight(std::span<const Example> examples) const;

    std::vector<Parameter>& parameters() { return m_weights.all(); }
    const std::vector<Parameter>& parameters() const { return m_weights.all(); }

private:
    Example prepare(const Request& request, bool withTiles) const;
    bool learns(std::string_view part) const;
    at::Tensor look(std::span<const Example> examples) const;
    at::Tensor embed(std::span<const Example> examples, const at::Tensor& tokens) const;
    at::Tensor denseLoss(std::span<const Example> examples, const at::Tensor& tokens) const;
    at::Tensor crossEntropy(const at::Tensor& states, const at::Tensor& targets) const;

    ModelConfig m_config;
    Options m_options;
    std::unique_ptr<Tokenizer> m_tokenizer;
    TokenId m_imageToken = 0;
    TrainedWeights m_weights;
    VisionTower m_vision;
    LanguageModel m_language;
    std::optional<DenseHead> m_dense;
};

}  // namespace inference::train
