#include "inference/kvl_engine.h"

#include "inference/context_use.h"
#include "inference/device.h"
#include "inference/error.h"
#include "inference/grounding.h"
#include "inference/log_probabilities.h"
#include "inference/preprocess.h"
#include "inference/sampler.h"
#include "inference/scoring.h"
#include "inference/stop.h"
#include "inference/text_stream.h"
#include "inference/tiles.h"
#include "inference/tokenizer_check.h"
#include "inference/torch_errors.h"
#include "inference/weights.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>

namespace inference {
namespace {

constexpr std::int64_t cpuPrefillRows = 1024;

class Clock {
public:
    double seconds() const
    {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
    }

private:
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
};

constexpr const char* tooLarge =
    "There is not enough memory for this; fewer tiles, a shorter conversation, a smaller "
    "model or dtype bf16 may fit.";

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
    : m_pictures(options.visionCacheBytes)
{
    inSentences(tooLarge, [&] {
        const Clock clock;
        const c10::InferenceMode inference;
        const Checkpoint checkpoint(options.checkpoint);
        m_config = checkpoint.config();
        m_info = checkpoint.info();
        m_tokenizer = loadTokenizer(options.checkpoint);
        checkTokenizer(*m_tokenizer, m_config, m_info);
        m_imageToken = *m_tokenizer->control("<IMG_CONTEXT>");
        m_endOfTurn = *m_tokenizer->control("<|im_end|>");
        m_endOfText = m_tokenizer->control("<|endoftext|>");
        if (!m_endOfText) {
            m_endOfText = m_tokenizer->control("</s>");
        }

        m_plan = planMemory(checkpoint, options);
        m_memoryLimit = options.memoryLimit;
        if (!m_plan.fits() && !(options.beyondMemory && m_plan.mapped)) {
            throw OutOfMemory(m_plan.problem);
        }
        const Placement placement(m_plan.map);
        const at::ScalarType dtype = m_plan.dtype == "bf16" ? at::kBFloat16 : at::kFloat;
        // sums of bf16 products stay float32, as in the reference
        at::globalContext().setAllowBF16ReductionCuBLAS(false);
        Weights weights(checkpoint, placement, dtype, onProgress, stop);
        std::optional<Adapter> adapter;
        if (!options.adapter.empty()) {
            weights.adapt(adapter.emplace(options.adapter));
            m_info.adapter = options.adapter.string();
            m_info.adapterHash = adapter->hash();
        }
        m_vision = std::make_unique<VisionTower>(weights);
        m_language = std::make_unique<LanguageModel>(weights);
        weights.checkAdapted();
        m_cache = std::make_unique<KvCache>(m_language->makeCache());
        m_info.device = m_plan.map.text();
        m_info.dtype = dtypeName(dtype);
        m_info.loadSeconds = clock.seconds();
    });
}

Prompt KvlEngine::promptOf(const Request& request) const
{
    return buildPrompt(request, *m_tokenizer, m_config.tiling());
}

int KvlEngine::promptTokens(const Request& request) const
{
    return int(promptOf(request).ids.size());
}

ContextUse KvlEngine::contextUse(const Request& request) const
{
    return useOf(promptOf(request), request);
}

ContextUse KvlEngine::useOf(const Prompt& prompt, const Request& request) const
{
    return inference::contextUse(prompt, request, m_config.tiling(),
                                 m_config.language.contextLength());
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

std::vector<KvlEngine::Seen> KvlEngine::look(const std::vector<Image>& images, const Prompt& prompt,
                                             const std::stop_token& stop) const
{
    std::vector<Seen> seen;
    for (std::size_t i = 0; i < images.size(); ++i) {
        Seen one{images[i].pixels, images[i].stride, {}, {}, prompt.images.at(i)};
        const auto known = std::find_if(m_seen.begin(), m_seen.end(), [&](const Seen& old) {
            return old.pixels.lock() == images[i].pixels && old.stride == one.stride &&
                old.use.width == one.use.width && old.use.height == one.use.height;
        });
        one.hash = known != m_seen.end() ? known->hash : pixelHash(images[i], stop);
        one.key = pictureKey(one.hash, one.use);
        seen.push_back(std::move(one));
    }
    return seen;
}

bool KvlEngine::isStretched(std::size_t tokens) const
{
    return tokens > std::size_t(m_config.language.maxPositions);
}

int KvlEngine::keepPrefix(const Prompt& prompt, std::vector<Seen> seen)
{
    const std::vector<int> picture = pictureAt(prompt);
    const auto isSame = [&](int i) {
        return i < 0 ||
            (std::size_t(i) < m_seen.size() &&
             m_seen[std::size_t(i)].key == seen[std::size_t(i)].key);
    };
    // the last token is always computed: its logits are the answer's first
    std::size_t most = std::min(m_cachedIds.size(), prompt.ids.size() - 1);
    if (isStretched(prompt.ids.size()) || isStretched(m_cachedIds.size())) {
        most = 0;  // keys are rotated by the stretch of another length
    }
    std::size_t length = 0;
    while (length < most && m_cachedIds[length] == prompt.ids[length] && isSame(picture[length])) {
        ++length;
    }
    m_cache->truncate(int(length));
    m_cachedIds.resize(length);
    m_seen = std::move(seen);
    return int(length);
}

at::Tensor KvlEngine::tokensOf(std::size_t index, const Image& image, Answer& answer,
                               const std::stop_token& stop)
{
    const Seen& seen = m_seen[index];
    at::Tensor tokens = m_pictures.find(seen.key);
    if (tokens.defined()) {
        answer.pictures.reused += 1;
        answer.tiles.reused += seen.use.tiles;
        return tokens;
    }
    const Clock clock;
    throwIfStopped(stop);
    const std::vector<Image> tiles = cutTiles(image, seen.use.grid, m_config.tiling(), stop);
    throwIfStopped(stop);
    tokens = (*m_vision)(toTensor(tiles), stop);
    if (tokens.size(0) != seen.use.tokens) {
        throw Error("A picture became " + std::to_string(tokens.size(0)) +
                    " tokens where the prompt has " + std::to_string(seen.use.tokens) +
                    "; this is a fault of the program.");
    }
    m_pictures.add(seen.key, tokens);
    answer.pictures.computed += 1;
    answer.tiles.computed += seen.use.tiles;
    answer.seconds.vision += clock.seconds();
    return tokens;
}

at::Tensor KvlEngine::embedFrom(int first, const Prompt& prompt, const Request& request,
                                Answer& answer, const std::stop_token& stop)
{
    const std::vector<Image> images = picturesOf(request);
    const std::vector<int> picture = pictureAt(prompt);
    std::vector<std::int64_t> ids(prompt.ids.begin() + first, prompt.ids.end());
    at::Tensor x = m_language->embed(at::tensor(ids, at::kLong)).clone();
    for (std::size_t i = 0; i < images.size(); ++i) {
        const auto begin = std::find(picture.begin(), picture.end(), int(i)) - picture.begin();
        const std::int64_t tokens = m_seen[i].use.tokens;
        const std::int64_t skipped = std::max<std::int64_t>(0, first - begin);
        if (skipped >= tokens) {
            answer.pictures.kept += 1;
            answer.tiles.kept += m_seen[i].use.tiles;
            continue;
        }
        x.narrow(0, begin + skipped - first, tokens - skipped)
            .copy_(tokensOf(i, images[i], answer, stop).narrow(0, skipped, tokens - skipped));
    }
    return x;
}

std::vector<KvlEngine::Need> KvlEngine::needs(int prompt, std::int64_t tokens, int tiles) const
{
    const int bytes = m_plan.dtype == "bf16" ? 2 : 4;
    const std::int64_t kv = kvBytes(m_config, bytes);
    const std::vector<DeviceMemory> machine = usableDevices();
    std::vector<Need> all;
    for (std::size_t i = 0; i < m_plan.devices.size(); ++i) {
        const DevicePlan& one = m_plan.devices[i];
        const bool onCpu = one.memory.device.starts_with("cpu");
        const std::int64_t held = m_cache->capacity() * kv * one.layers;
        Need need{one.memory.device};
        for (const DeviceMemory& now : machine) {
            if (now.device == (onCpu ? "cpu" : one.memory.device)) {
                need.free = now.free;
            }
        }
        if (m_memoryLimit > 0) {
            need.free = std::min(need.free, m_memoryLimit - one.weights - held);
        }
        need.free = std::max<std::int64_t>(0, need.free);
        need.work = workBytes(m_config, bytes, onCpu, i == 0 ? tiles : 0, prompt);
        need.keys = std::max<std::int64_t>(0, tokens * kv * one.layers - held);
        all.push_back(std::move(need));
    }
    return all;
}

std::vector<KvlEngine::Need> KvlEngine::needs(const Prompt& prompt, int newTokens) const
{
    int tiles = 0;
    for (const ImageUse& use : prompt.images) {
        tiles = std::max(tiles, use.tiles);
    }
    const int read = int(prompt.ids.size());
    return needs(read, std::int64_t(read) + newTokens, tiles);
}

std::string KvlEngine::whatFits(const Request& request, const Prompt& prompt,
                                const HaveRoom& haveRoom) const
{
    Request fewer = request;
    while (!prompt.images.empty() && --fewer.maxTiles > 0) {
        if (haveRoom(needs(promptOf(fewer), request.maxNewTokens))) {
            return "at most " + std::to_string(fewer.maxTiles) + " tiles a picture fit";
        }
    }
    for (int left = request.maxNewTokens / 2; left > 0; left /= 2) {
        if (haveRoom(needs(prompt, left))) {
            return std::to_string(left) + " new tokens fit";
        }
    }
    const int tiles = prompt.images.empty() ? 0 : 1;
    for (int read = int(prompt.ids.size()) / 2; read > 0; read /= 2) {
        if (haveRoom(needs(read, std::int64_t(read) + request.maxNewTokens, tiles))) {
            return "a conversation of " + std::to_string(read) + " tokens fits, this one has " +
                std::to_string(prompt.ids.size());
        }
    }
    return "a shorter conversation, fewer pictures or a smaller model are needed";
}

std::string KvlEngine::otherMap(const Need& need, std::int64_t bytes) const
{
    const std::string map = movedToCpu(m_plan, need.device, bytes, usableDevices());
    return map.empty() ? "" : ", or the model with more layers on the CPU: device " + map;
}

void KvlEngine::checkMemory(const Prompt& prompt, const Request& request) const
{
    const HaveRoom haveRoom = [](const std::vector<Need>& all) {
        return std::all_of(all.begin(), all.end(),
                           [](const Need& need) { return need.all() <= need.free; });
    };
    const std::vector<Need> all = needs(prompt, request.maxNewTokens);
    const auto full = std::find_if(all.begin(), all.end(),
                                   [](const Need& need) { return need.all() > need.free; });
    if (full != all.end()) {
        throw OutOfMemory(
            "There is not enough memory for this question: it needs " + byteText(full->all()) +
            " on " + full->device + " (" + byteText(full->keys) + " for keys and values, " +
            byteText(full->work) + " to work with) where " + byteText(full->free) + " are free; " +
            whatFits(request, prompt, haveRoom) + otherMap(*full, full->all() - full->free) + ".");
    }
}

std::string KvlEngine::afterRunningOut(const Request& request)
{
    forget();
    try {
        const Prompt prompt = promptOf(request);
        const std::vector<Need> failed = needs(prompt, request.maxNewTokens);
        // the estimate was too low, or another program took memory meanwhile: a quarter less
        const auto most = [&](std::size_t i) {
            return std::min(failed[i].free, failed[i].all() / 4 * 3);
        };
        const HaveRoom haveRoom = [&](const std::vector<Need>& all) {
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (all[i].all() > most(i)) {
                    return false;
                }
            }
            return true;
        };
        const auto tightest =
            std::min_element(failed.begin(), failed.end(), [](const Need& a, const Need& b) {
                return a.free - a.all() < b.free - b.all();
            });
        const std::int64_t missing = tightest->all() - most(std::size_t(tightest - failed.begin()));
        return "There is not enough memory for this question: it ran out in the middle, where "
               "about " +
            byteText(tightest->all()) + " are needed on " + tightest->device + " and " +
            byteText(tightest->free) + " are free now; " + whatFits(request, prompt, haveRoom) +
            otherMap(*tightest, missing) + ".";
    } catch (const std::exception&) {
        return tooLarge;  // not even for the plan
    }
}

void KvlEngine::forget()
{
    m_cachedIds.clear();
    m_seen.clear();
    m_pictures.clear();
    m_cache = std::make_unique<KvCache>(m_language->makeCache());
}

Prompt KvlEngine::promptThatFits(const Request& request) const
{
    Prompt prompt = promptOf(request);
    if (const ContextUse use = useOf(prompt, request); !use.problem.empty()) {
        throw Error(use.problem);
    }
    checkMemory(prompt, request);
    return prompt;
}

template <typename F>
auto KvlEngine::orForget(const Request& request, F&& work)
{
    try {
        return inSentences([&] { return afterRunningOut(request); },
                           [&] {
                               const c10::InferenceMode inference;
                               return work();
                           });
    } catch (const Cancelled&) {
        throw;
    } catch (...) {
        forget();
        throw;
    }
}

at::Tensor KvlEngine::prefill(const at::Tensor& x, const Prompt& prompt, int rows,
                              const std::stop_token& stop)
{
    const std::int64_t n = x.size(0), first = std::int64_t(prompt.ids.size()) - n;
    std::int64_t most = rows > 0 ? rows : x.device().is_cpu() ? cpuPrefillRows : n;
    if (isStretched(prompt.ids.size())) {
        most = first + n;  // one part: the whole prompt's length decides on the stretch
    }
    at::Tensor states;
    for (std::int64_t row = 0; row < n;) {
        // parts end at multiples, wherever the first begins
        const std::int64_t part = std::min(most - (first + row) % most, n - row);
        states = m_language->states(x.narrow(0, row, part), *m_cache, stop);
        row += part;
        m_cachedIds.assign(prompt.ids.begin(), prompt.ids.begin() + first + row);
    }
    return states.narrow(0, states.size(0) - 1, 1);
}

Answer KvlEngine::generate(const Request& request, const OnPiece& onPiece, std::stop_token stop)
{
    return compute(request, {}, onPiece, stop);
}

Answer KvlEngine::compute(const Request& request, const Computation& how, const OnPiece& onPiece,
                          const std::stop_token& stop)
{
    return orForget(request, [&] {
        const Clock clock;
        Sampler sample(request.sampling);
        if (request.topLogprobs &&
            (*request.topLogprobs < 0 || *request.topLogprobs > m_info.vocabulary)) {
            throw Error("The number of log-probabilities is " +
                        std::to_string(*request.topLogprobs) + " where 0 to " +
                        std::to_string(m_info.vocabulary) + " is expected.");
        }
        const Prompt prompt = promptThatFits(request);

        Answer answer;
        answer.promptIds = prompt.ids;
        answer.images = prompt.images;
        TextStream text(*m_tokenizer, onPiece, request.stopStrings);
        try {
            if (how.cold) {
                forget();
            }
            answer.cachedTokens = keepPrefix(prompt, look(picturesOf(request), prompt, stop));
            m_cache->reserve(int(prompt.ids.size()) + request.maxNewTokens);
            const at::Tensor x = embedFrom(answer.cachedTokens, prompt, request, answer, stop);
            const Clock prefillClock;
            at::Tensor logits =
                m_language->logits(prefill(x, prompt, how.prefillRows, stop)).squeeze(0);
            const auto choose = [&] {
                if (how.onLogits) {
                    how.onLogits(logits);
                }
                const TokenId chosen = sample(logits);
                if (request.topLogprobs) {
                    answer.logprobs.push_back(stepLogprobs(logits, chosen, *request.topLogprobs));
                }
                return chosen;
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
                if (request.stopAtEndOfText && id == m_endOfText) {
                    answer.stop = StopReason::EndOfText;
                    break;
                }
                text.push(id);
                if (text.stopped()) {
                    answer.stop = StopReason::StopString;
                    break;
                }
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
    });
}

std::vector<std::vector<TokenId>> KvlEngine::idsToScore(const ScoreRequest& request) const
{
    if (request.continuations.empty()) {
        throw Error("There is nothing to score: one continuation at least is expected.");
    }
    std::vector<std::vector<TokenId>> all;
    for (const Continuation& one : request.continuations) {
        const std::string name = "Continuation " + std::to_string(all.size() + 1);
        std::vector<TokenId> ids = one.ids;
        if (ids.empty()) {
            try {
                ids = encodeAnswer(one.text, *m_tokenizer);
            } catch (const Error& error) {
                throw Error(name + ": " + error.what());
            }
        }
        if (ids.empty()) {
            throw Error(name + " is empty; a text of one token at least is expected.");
        }
        for (const TokenId id : ids) {
            if (id < 0 || id >= m_info.vocabulary) {
                throw Error(name + " has the token " + std::to_string(id) +
                            " where the model knows 0 to " + std::to_string(m_info.vocabulary - 1) +
                            ".");
            }
        }
        if (request.endOfTurn) {
            ids.push_back(m_endOfTurn);
        }
        all.push_back(std::move(ids));
    }
    return all;
}

Scores KvlEngine::score(const ScoreRequest& request, std::stop_token stop)
{
    const std::vector<std::vector<TokenId>> all = idsToScore(request);
    Request asked = request.prompt;
    asked.maxNewTokens = 0;
    for (const std::vector<TokenId>& ids : all) {
        asked.maxNewTokens = std::max(asked.maxNewTokens, int(ids.size()));
    }
    return orForget(asked, [&] {
        const Prompt prompt = promptThatFits(asked);

        Scores scores;
        scores.promptIds = prompt.ids;
        scores.images = prompt.images;
        scores.cachedTokens = keepPrefix(prompt, look(picturesOf(asked), prompt, stop));
        Answer read;
        const at::Tensor x = embedFrom(scores.cachedTokens, prompt, asked, read, stop);
        scores.pictures = read.pictures;
        scores.tiles = read.tiles;
        scores.seconds.vision = read.seconds.vision;
        const Clock prefillClock;
        const at::Tensor state = prefill(x, prompt, 0, stop);
        scores.seconds.prefill = prefillClock.seconds();

        const Clock scoring;
        Scorer scorer(*m_language, *m_cache, state);
        for (const std::vector<TokenId>& ids : all) {
            Score score;
            const std::vector<float> logprobs = scorer(ids, stop);
            for (std::size_t i = 0; i < ids.size(); ++i) {
                score.tokens.push_back({ids[i], logprobs[i]});
                score.sum += double(logprobs[i]);
            }
            score.mean = score.sum / double(ids.size());
            scores.continuations.push_back(std::move(score));
        }
        scores.seconds.continuations = scoring.seconds();
        return scores;
    });
}

std::unique_ptr<Engine> loadEngine(const LoadOptions& options, const OnProgress& onProgress,
                                   const std::stop_token& stop)
{
    return std::make_unique<KvlEngine>(options, onProgress, stop);
}

}  // namespace inference
