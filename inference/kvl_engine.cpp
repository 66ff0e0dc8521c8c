#include "inference/kvl_engine.h"

#include "inference/device.h"
#include "inference/error.h"
#include "inference/grounding.h"
#include "inference/preprocess.h"
#include "inference/sampler.h"
#include "inference/stop.h"
#include "inference/text_stream.h"
#include "inference/tiles.h"
#include "inference/weights.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

namespace inference {
namespace {

class Clock {
public:
    double seconds() const
    {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
    }

private:
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
};

/// libtorch's exceptions as sentences.
template <typename F>
auto inSentences(F&& work)
{
    const char* const tooLarge =
        "There is not enough memory for this; fewer tiles, a shorter conversation, a smaller "
        "model or dtype bf16 may fit.";
    try {
        return work();
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw OutOfMemory(tooLarge);
    } catch (const c10::OutOfMemoryError&) {
        throw OutOfMemory(tooLarge);
    } catch (const c10::Error& error) {
        const std::string what = error.what_without_backtrace();
        if (what.find("DefaultCPUAllocator") != std::string::npos ||
            what.find("out of memory") != std::string::npos) {
            throw OutOfMemory(tooLarge);
        }
        throw Error("libtorch could not compute this: " + what.substr(0, what.find('\n')));
    }
}

bool samePixels(const Image& a, const Image& b)
{
    if (a.width != b.width || a.height != b.height) {
        return false;
    }
    if (a.pixels == b.pixels && a.stride == b.stride) {
        return true;  // pictures are never written after they are made
    }
    for (int y = 0; y < a.height; ++y) {
        if (std::memcmp(a.row(y), b.row(y), std::size_t(a.width) * 3) != 0) {
            return false;
        }
    }
    return true;
}

std::vector<Image> picturesOf(const Request& request)
{
    std::vector<Image> all;
    for (const Message& message : request.messages) {
        all.insert(all.end(), message.images.begin(), message.images.end());
    }
    return all;
}

}  // namespace

KvlEngine::KvlEngine(const LoadOptions& options, const OnProgress& onProgress,
                     const std::stop_token& stop)
{
    inSentences([&] {
        const Clock clock;
        const c10::InferenceMode inference;
        const Checkpoint checkpoint(options.checkpoint);
        m_config = checkpoint.config();
        m_info = checkpoint.info();
        m_tokenizer = loadTokenizer(options.checkpoint);
        checkTokenizer();
        m_imageToken = *m_tokenizer->control("<IMG_CONTEXT>");
        m_endOfTurn = *m_tokenizer->control("<|im_end|>");

        const at::Device device = chooseDevice(options.device);
        const at::ScalarType dtype = chooseDtype(options.dtype, device, m_info.storedDtype);
        // sums of bf16 products stay float32, as in the reference
        at::globalContext().setAllowBF16ReductionCuBLAS(false);
        Weights weights(checkpoint, device, dtype, onProgress, stop);
        m_vision = std::make_unique<VisionTower>(weights);
        m_language = std::make_unique<LanguageModel>(weights);
        m_cache = std::make_unique<KvCache>(m_language->makeCache());
        m_info.device = device.str();
        m_info.dtype = dtypeName(dtype);
        m_info.loadSeconds = clock.seconds();
    });
}

/// Section 13 of the model specification, the tokenizer's part.
void KvlEngine::checkTokenizer() const
{
    const std::string where = m_info.folder.string();
    for (const char* token : {"<IMG_CONTEXT>", "<img>", "</img>", "<|im_start|>", "<|im_end|>"}) {
        if (!m_tokenizer->control(token)) {
            throw Error(where + ": the tokenizer has no token " + token +
                        "; its files are of another model or added_tokens.json is missing.");
        }
    }
    if (m_tokenizer->size() > m_config.language.vocabulary) {
        throw Error(where + ": the tokenizer has " + std::to_string(m_tokenizer->size()) +
                    " tokens where config.json allows " +
                    std::to_string(m_config.language.vocabulary) +
                    "; its files are of another model.");
    }
    // Qwen's own files; old slow tokenizers lost the merges that begin with # (model
    // specification 7.8)
    constexpr int qwenTokens = 151643;
    if (m_tokenizer->size() > qwenTokens && m_tokenizer->encode("#######").size() != 1) {
        throw Error(where + ": merges.txt lacks the merges of #, seven of them make " +
                    std::to_string(m_tokenizer->encode("#######").size()) +
                    " tokens where 1 is expected; it was saved by an old transformers version.");
    }
}

Prompt KvlEngine::promptOf(const Request& request) const
{
    TilingOptions tiling = m_config.tiling();
    tiling.maxTiles = request.maxTiles;
    return buildPrompt(request, *m_tokenizer, tiling);
}

int KvlEngine::promptTokens(const Request& request) const
{
    return int(promptOf(request).ids.size());
}

std::vector<int> KvlEngine::pictureAt(const Prompt& prompt) const
{
    std::vector<int> all(prompt.ids.size(), -1);
    std::size_t picture = 0;
    int left = prompt.images.empty() ? 0 : prompt.images.front().tokens;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (prompt.ids[i] != m_imageToken) {
            continue;
        }
        while (left == 0 && picture + 1 < prompt.images.size()) {
            left = prompt.images[++picture].tokens;
        }
        if (left == 0) {
            throw Error("The prompt has more image tokens than its pictures need; this is a fault "
                        "of the program.");
        }
        all[i] = int(picture);
        --left;
    }
    return all;
}

int KvlEngine::keepPrefix(const Prompt& prompt, const Request& request)
{
    const std::vector<Image> images = picturesOf(request);
    std::vector<Seen> seen;
    std::vector<bool> same;
    for (std::size_t i = 0; i < images.size(); ++i) {
        Seen one{images[i], prompt.images.at(i), {}};
        const auto isSame = [&](const Seen& old) {
            return old.use.grid == one.use.grid && old.use.tiles == one.use.tiles &&
                samePixels(old.image, one.image);
        };
        same.push_back(i < m_seen.size() && isSame(m_seen[i]));
        // a picture that moved keeps its tokens, though not its keys and values
        const auto old = same.back() ? m_seen.begin() + std::ptrdiff_t(i)
                                     : std::find_if(m_seen.begin(), m_seen.end(), isSame);
        if (old != m_seen.end()) {
            one.tokens = old->tokens;
        }
        seen.push_back(std::move(one));
    }

    const std::vector<int> picture = pictureAt(prompt);
    // the last token is always computed: its logits are the answer's first
    const std::size_t most = std::min(m_cachedIds.size(), prompt.ids.size() - 1);
    std::size_t length = 0;
    while (length < most && m_cachedIds[length] == prompt.ids[length] &&
           (picture[length] < 0 || same[std::size_t(picture[length])])) {
        ++length;
    }
    m_cache->truncate(int(length));
    m_cachedIds.resize(length);
    m_seen = std::move(seen);
    return int(length);
}

at::Tensor KvlEngine::embedFrom(int first, const Prompt& prompt, int maxTiles,
                                const std::stop_token& stop, double& visionSeconds)
{
    const std::vector<int> picture = pictureAt(prompt);
    std::vector<std::int64_t> ids(prompt.ids.begin() + first, prompt.ids.end());
    at::Tensor x = m_language->embed(at::tensor(ids, at::kLong)).clone();
    TilingOptions tiling = m_config.tiling();
    tiling.maxTiles = maxTiles;
    for (std::size_t i = 0; i < m_seen.size(); ++i) {
        const auto begin = std::find(picture.begin(), picture.end(), int(i)) - picture.begin();
        const std::int64_t tokens = m_seen[i].use.tokens;
        const std::int64_t skipped = std::max<std::int64_t>(0, first - begin);
        if (skipped >= tokens) {
            continue;
        }
        if (!m_seen[i].tokens.defined()) {
            const Clock clock;
            throwIfStopped(stop);
            const std::vector<Image> tiles = cutTiles(m_seen[i].image, tiling);
            throwIfStopped(stop);
            m_seen[i].tokens = (*m_vision)(toTensor(tiles), stop);
            visionSeconds += clock.seconds();
        }
        if (m_seen[i].tokens.size(0) != tokens) {
            throw Error("A picture became " + std::to_string(m_seen[i].tokens.size(0)) +
                        " tokens where the prompt has " + std::to_string(tokens) +
                        "; this is a fault of the program.");
        }
        x.narrow(0, begin + skipped - first, tokens - skipped)
            .copy_(m_seen[i].tokens.narrow(0, skipped, tokens - skipped));
    }
    return x;
}

void KvlEngine::forget()
{
    m_cachedIds.clear();
    m_seen.clear();
    m_cache = std::make_unique<KvCache>(m_language->makeCache());
}

at::Tensor KvlEngine::prefill(const at::Tensor& x, int rows, const std::stop_token& stop)
{
    const std::int64_t n = x.size(0), most = rows > 0 ? rows : n;
    at::Tensor logits;
    for (std::int64_t row = 0; row < n; row += most) {
        logits = (*m_language)(x.narrow(0, row, std::min(most, n - row)), *m_cache, stop);
    }
    return logits;
}

Answer KvlEngine::generate(const Request& request, const OnPiece& onPiece, std::stop_token stop)
{
    return compute(request, {}, onPiece, stop);
}

Answer KvlEngine::compute(const Request& request, const Computation& how, const OnPiece& onPiece,
                          const std::stop_token& stop)
{
    const auto work = [&] {
        const Clock clock;
        const c10::InferenceMode inference;
        Sampler sample(request.sampling);
        Prompt prompt = promptOf(request);
        const int context = m_config.language.maxPositions;
        const auto needed = std::int64_t(prompt.ids.size()) + request.maxNewTokens;
        if (request.maxNewTokens < 1) {
            throw Error("The limit of new tokens is " + std::to_string(request.maxNewTokens) +
                        " where 1 or more is expected.");
        }
        if (needed > context) {
            throw Error("The question needs " + std::to_string(needed) + " tokens (" +
                        std::to_string(prompt.ids.size()) + " to read and " +
                        std::to_string(request.maxNewTokens) +
                        " to write) where the model has room for " + std::to_string(context) +
                        ", " + std::to_string(needed - context) +
                        " too many; fewer tiles, a shorter conversation or a lower limit of new "
                        "tokens fits.");
        }

        Answer answer;
        answer.promptIds = prompt.ids;
        answer.images = prompt.images;
        TextStream text(*m_tokenizer, onPiece);
        try {
            if (how.cold) {
                forget();
            }
            answer.cachedTokens = keepPrefix(prompt, request);
            const at::Tensor x = embedFrom(answer.cachedTokens, prompt, request.maxTiles, stop,
                                           answer.seconds.vision);
            const Clock prefillClock;
            at::Tensor logits = prefill(x, how.prefillRows, stop);
            m_cachedIds = prompt.ids;
            const auto choose = [&] {
                if (how.onLogits) {
                    how.onLogits(logits);
                }
                return sample(logits);
            };
            TokenId id = choose();
            answer.seconds.prefill = prefillClock.seconds();
            answer.seconds.firstToken = clock.seconds();

            const Clock decode;
            answer.stop = StopReason::TokenLimit;
            while (true) {
                answer.newIds.push_back(id);
                if (id == m_endOfTurn) {
                    answer.stop = StopReason::EndOfTurn;
                    break;
                }
                text.push(id);
                answer.seconds.decode = decode.seconds();
                if (int(answer.newIds.size()) == request.maxNewTokens) {
                    break;
                }
                throwIfStopped(stop);
                logits = (*m_language)(m_language->embed(at::tensor({std::int64_t(id)}, at::kLong)),
                                       *m_cache, stop);
                m_cachedIds.push_back(id);
                id = choose();
            }
            answer.seconds.decode = decode.seconds();
        } catch (const Cancelled&) {
            answer.stop = StopReason::Cancelled;
        }
        AnswerText whole = text.finish();
        std::vector<ImageSize> sizes;
        for (const ImageUse& use : answer.images) {
            sizes.push_back({use.width, use.height});
        }
        answer.boxes = parseBoxes(whole.grounded, sizes);
        answer.text = std::move(whole.text);
        answer.thinking = std::move(whole.thinking);
        answer.answer = std::move(whole.answer);
        return answer;
    };
    try {
        return inSentences(work);
    } catch (...) {
        forget();
        throw;
    }
}

std::unique_ptr<Engine> loadEngine(const LoadOptions& options, const OnProgress& onProgress,
                                   std::stop_token stop)
{
    return std::make_unique<KvlEngine>(options, onProgress, stop);
}

}  // namespace inference
