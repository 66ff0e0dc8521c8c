#pragma once

#include "inference/checkpoint.h"
#include "inference/engine.h"
#include "inference/language.h"
#include "inference/memory_plan.h"
#include "inference/prompt.h"
#include "inference/tokenizer.h"
#include "inference/vision.h"
#include "inference/vision_cache.h"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace inference {

/// Tiles, vision tower, prompt, prefill, the loop. Keeps the keys and values of the last
/// conversation, so that a follow-up computes only what is new, and the image tokens of pictures
/// seen before; a request never depends on either for its meaning.
class KvlEngine : public Engine {
public:
    /// Throws Error, OutOfMemory, Cancelled.
    KvlEngine(const LoadOptions& options, const OnProgress& onProgress,
              const std::stop_token& stop);

    const ModelInfo& info() const override { return m_info; }
    Answer generate(const Request& request, const OnPiece& onPiece, std::stop_token stop) override;
    Scores score(const ScoreRequest& request, std::stop_token stop) override;
    int promptTokens(const Request& request) const override;
    ContextUse contextUse(const Request& request) const override;

    /// How a request is computed; its tokens do not depend on it.
    struct Computation {
        int prefillRows = 0;  // prompt tokens computed at once; 0: what suits the device
        bool cold = false;    // nothing kept from earlier requests is used
        /// Sees the logits [vocabulary] that each new token is chosen from.
        std::function<void(const at::Tensor& logits)> onLogits = {};
    };
    /// generate() with these. Throws what it throws.
    Answer compute(const Request& request, const Computation& how, const OnPiece& onPiece,
                   const std::stop_token& stop);

private:
    /// A picture of the last request.
    struct Seen {
        std::weak_ptr<const std::uint8_t> pixels;  // pictures are never written after they are made
        int stride = 0;
        std::string hash, key;  // pixelHash(), pictureKey()
        ImageUse use;
    };

    Prompt promptOf(const Request& request) const;
    ContextUse useOf(const Prompt& prompt, const Request& request) const;
    /// promptOf(). Throws Error where the model has no room for it and the answer, OutOfMemory
    /// where the device has none.
    Prompt promptThatFits(const Request& request) const;
    /// For each position the index of the picture it stands for, or -1.
    std::vector<int> pictureAt(const Prompt& prompt) const;
    /// The pictures of a request, those of the last one without hashing their pixels again. Throws
    /// Cancelled.
    std::vector<Seen> look(const std::vector<Image>& images, const Prompt& prompt,
                           const std::stop_token& stop) const;
    /// The decoder stretches the positions of so many tokens, by their number (dynamic scaling).
    bool isStretched(std::size_t tokens) const;
    /// Keeps what the new prompt shares with the cache and forgets the rest; returns its length.
    int keepPrefix(const Prompt& prompt, std::vector<Seen> seen);
    /// The image tokens of picture `index`, from the cache or the tower.
    at::Tensor tokensOf(std::size_t index, const Image& image, Answer& answer,
                        const std::stop_token& stop);
    /// Embeddings [n, hidden] of the prompt from `first` on, the pictures' tokens in their places.
    at::Tensor embedFrom(int first, const Prompt& prompt, const Request& request, Answer& answer,
                         const std::stop_token& stop);
    /// x [n, hidden] are the prompt's last tokens, those behind what m_cache holds -> the state
    /// [1, hidden] of the last. In parts of `rows`; what is done of them stays when it is stopped.
    at::Tensor prefill(const at::Tensor& x, const Prompt& prompt, int rows,
                       const std::stop_token& stop);
    /// The ids to score. Throws Error.
    std::vector<std::vector<TokenId>> idsToScore(const ScoreRequest& request) const;
    /// `work` for a request with libtorch's exceptions as sentences; nothing is kept where it
    /// throws.
    template <typename F>
    auto orForget(const Request& request, F&& work);
    /// What a request takes of one device beside the weights, and what is free there for it.
    struct Need {
        std::string device;
        std::int64_t keys = 0, work = 0, free = 0;  // bytes; keys: and values, beyond those held

        std::int64_t all() const { return keys + work; }
    };
    /// On each device of the plan, for so many tokens, of which `prompt` are read at once. `tiles`
    /// of the picture with most.
    std::vector<Need> needs(int prompt, std::int64_t tokens, int tiles) const;
    std::vector<Need> needs(const Prompt& prompt, int newTokens) const;
    using HaveRoom = std::function<bool(const std::vector<Need>&)>;
    /// What to ask instead, so that there is room.
    std::string whatFits(const Request& request, const Prompt& prompt,
                         const HaveRoom& haveRoom) const;
    /// Another map of the layers that gives so many bytes of the device back; empty: there is none.
    std::string otherMap(const Need& need, std::int64_t bytes) const;
    /// Throws OutOfMemory, saying what would fit.
    void checkMemory(const Prompt& prompt, const Request& request) const;
    /// Why memory ran out in the middle of a request and what would fit; nothing is kept.
    std::string afterRunningOut(const Request& request);
    /// Drops all that is kept from earlier requests.
    void forget();

    std::unique_ptr<Tokenizer> m_tokenizer;
    std::unique_ptr<VisionTower> m_vision;
    std::unique_ptr<LanguageModel> m_language;
    std::unique_ptr<KvCache> m_cache;
    ModelConfig m_config;
    ModelInfo m_info;
    MemoryPlan m_plan;
    std::int64_t m_memoryLimit = 0;
    TokenId m_imageToken = -1, m_endOfTurn = -1;
    std::optional<TokenId> m_endOfText;

    std::vector<TokenId> m_cachedIds;  // what m_cache holds
    std::vector<Seen> m_seen;          // the pictures among them, in order
    VisionCache m_pictures;
};

}  // namespace inference
