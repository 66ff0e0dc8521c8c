#include "inference/train/learner.h"

#include "inference/error.h"
#include "inference/preprocess.h"
#include "inference/tiles.h"
#include "inference/train/recompute.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace inference::train {
namespace {

constexpr std::int64_t logitsAtOnce = 32 << 20;  // values; more are computed again instead of kept

std::unique_ptr<Tokenizer> tokenizerOf(const Checkpoint& checkpoint)
{
    auto tokenizer = loadTokenizer(checkpoint.info().folder);
    if (tokenizer->size() > checkpoint.config().language.vocabulary) {
        throw Error(checkpoint.info().folder.string() + ": the tokenizer has " +
                    std::to_string(tokenizer->size()) + " tokens where config.json allows " +
                    std::to_string(checkpoint.config().language.vocabulary) +
                    "; its files are of another model.");
    }
    return tokenizer;
}

}  // namespace

std::int64_t Example::targets() const
{
    return learnt.empty() ? 0 : std::count(learnt.begin() + 1, learnt.end(), true);
}

Learner::Learner(const Checkpoint& checkpoint, const Options& options, const OnProgress& onProgress,
                 const std::stop_token& stop)
    : m_config(checkpoint.config())
    , m_options(options)
    , m_tokenizer(tokenizerOf(checkpoint))
    , m_imageToken(m_tokenizer->control("<IMG_CONTEXT>").value_or(-1))
    , m_weights(checkpoint, options.device, options.dtype, options.frozen, options.lora, onProgress,
                stop)
    , m_vision(m_weights)
    , m_language(m_weights)
{
}

Example Learner::prepare(const Request& request) const
{
    TilingOptions tiling = m_config.tiling();
    tiling.maxTiles = request.maxTiles;
    Lesson lesson = buildLesson(request, *m_tokenizer, tiling);
    Example example{std::move(lesson.prompt.ids), std::move(lesson.learnt), {}, {}};
    auto use = lesson.prompt.images.begin();
    for (const Message& message : request.messages) {
        for (const Image& image : message.images) {
            const std::vector<Image> tiles = cutTiles(image, (use++)->grid, tiling);
            example.tiles.insert(example.tiles.end(), tiles.begin(), tiles.end());
        }
    }
    return example;
}

/// Whether a weight of this part is trained.
bool Learner::learns(std::string_view part) const
{
    return std::any_of(parameters().begin(), parameters().end(), [&](const Parameter& one) {
        return one.master.defined() && one.name.find(part) != std::string::npos;
    });
}

/// All examples one behind the other, [n, hidden], pictures in their places.
at::Tensor Learner::embed(std::span<const Example> examples) const
{
    std::vector<std::int64_t> ids, places;
    std::vector<Image> tiles;
    for (const Example& example : examples) {
        for (const TokenId id : example.ids) {
            if (id == m_imageToken) {
                places.push_back(std::int64_t(ids.size()));
            }
            ids.push_back(id);
        }
        tiles.insert(tiles.end(), example.tiles.begin(), example.tiles.end());
    }
    const at::Tensor x = m_language.embed(at::tensor(ids, at::kLong));
    if (tiles.empty()) {
        return x;
    }
    const bool visionLearns = learns("vision_model.");
    const at::Tensor tokens = [&] {
        const at::Tensor pixels = toTensor(tiles);
        if (visionLearns || !learns("mlp1.")) {
            const at::AutoGradMode grad(visionLearns);
            return m_vision(pixels, {},
                            m_options.recompute && visionLearns ? recomputed : RunLayer());
        }
        at::Tensor features;
        {
            const at::NoGradGuard noGrad;
            features = m_vision.encode(pixels, {});
        }
        return m_vision.project(features, {});
    }();
    if (tokens.size(0) != std::int64_t(places.size())) {
        throw Error("The pictures became " + std::to_string(tokens.size(0)) +
                    " tokens where the conversations have " + std::to_string(places.size()) +
                    "; this is a fault of the program.");
    }
    return x.index_copy(0, at::tensor(places, at::kLong).to(x.device()), tokens);
}

/// states [n, hidden] of the tokens in front of `targets` [n].
at::Tensor Learner::crossEntropy(const at::Tensor& states, const at::Tensor& targets) const
{
    const std::int64_t part =
        std::max<std::int64_t>(1, logitsAtOnce / m_config.language.vocabulary);
    at::Tensor sum;
    for (std::int64_t row = 0; row < states.size(0); row += part) {
        const std::int64_t rows = std::min(part, states.size(0) - row);
        const at::Tensor expected = targets.narrow(0, row, rows);
        const Layerwork work = [this, expected](const at::Tensor& some) {
            const at::Tensor logits = m_language.logits(some).to(at::kFloat);
            return at::cross_entropy_loss(logits, expected, {}, at::Reduction::Sum);
        };
        const at::Tensor some = states.narrow(0, row, rows);
        const at::Tensor loss = rows < states.size(0) ? recomputed(some, work) : work(some);
        sum = sum.defined() ? sum + loss : loss;
    }
    return sum;
}

at::Tensor Learner::loss(std::span<const Example> examples) const
{
    std::vector<std::int64_t> lengths, rows, targets;
    std::int64_t first = 0;
    for (const Example& example : examples) {
        for (std::size_t i = 1; i < example.ids.size(); ++i) {
            if (example.learnt[i]) {
                rows.push_back(first + std::int64_t(i) - 1);
                targets.push_back(example.ids[i]);
            }
        }
        lengths.push_back(std::int64_t(example.ids.size()));
        first += lengths.back();
    }
    const at::Tensor x = embed(examples);
    const at::Tensor states =
        m_language.states(x, lengths, m_options.recompute ? recomputed : RunLayer());
    const at::Tensor places = at::tensor(rows, at::kLong).to(x.device());
    return crossEntropy(states.index_select(0, places),
                        at::tensor(targets, at::kLong).to(x.device()));
}

}  // namespace inference::train
