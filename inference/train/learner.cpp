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
    if (options.dense || options.denseShare > 0) {
        m_dense.emplace(m_config.language.hiddenSize, m_config.patchesPerSide() / 2, options.seed,
                        m_weights.options(), m_weights.all());
    }
}

std::vector<Example> Learner::prepare(const Item& item) const
{
    std::vector<Example> examples;
    for (const Request& request : item.conversations) {
        examples.push_back(prepare(request, examples.empty()));
        examples.back().sharesTiles = examples.size() > 1;
    }
    examples.front().objects = item.objects;
    if (m_options.dense) {
        examples.resize(1);
    }
    return examples;
}

Example Learner::prepare(const Request& request, bool withTiles) const
{
    TilingOptions tiling = m_config.tiling();
    tiling.maxTiles = request.maxTiles;
    Lesson lesson = buildLesson(request, *m_tokenizer, tiling);
    Example example;
    example.ids = std::move(lesson.prompt.ids);
    example.learnt = std::move(lesson.learnt);
    if (!withTiles) {
        return example;
    }
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

/// The image tokens [n, width of the language model] of all tiles; undefined where there are none.
at::Tensor Learner::look(std::span<const Example> examples) const
{
    std::vector<Image> tiles;
    for (const Example& example : examples) {
        tiles.insert(tiles.end(), example.tiles.begin(), example.tiles.end());
    }
    if (tiles.empty()) {
        return {};
    }
    const bool visionLearns = learns("vision_model.");
    const at::Tensor pixels = toTensor(tiles);
    if (visionLearns || !learns("mlp1.")) {
        const at::AutoGradMode grad(visionLearns);
        return m_vision(pixels, {}, m_options.recompute && visionLearns ? recomputed : RunLayer());
    }
    at::Tensor features;
    {
        const at::NoGradGuard noGrad;
        features = m_vision.encode(pixels, {});
    }
    return m_vision.project(features, {});
}

/// All examples one behind the other, [n, hidden], pictures in their places.
at::Tensor Learner::embed(std::span<const Example> examples, const at::Tensor& tokens) const
{
    std::vector<std::int64_t> ids, places, rows;  // rows of the image tokens for the places
    std::int64_t begin = 0, end = 0;              // of those of the picture at hand
    for (const Example& example : examples) {
        if (!example.sharesTiles) {
            begin = end;
            end += std::int64_t(example.tiles.size()) * m_config.tiling().tokensPerTile;
        }
        std::int64_t row = begin;
        for (const TokenId id : example.ids) {
            if (id == m_imageToken) {
                places.push_back(std::int64_t(ids.size()));
                rows.push_back(row++);
            }
            ids.push_back(id);
        }
        if (row != end) {
            throw Error("The pictures became " + std::to_string(end - begin) +
                        " tokens where the conversation has " + std::to_string(row - begin) +
                        "; this is a fault of the program.");
        }
    }
    const at::Tensor x = m_language.embed(at::tensor(ids, at::kLong));
    if (!tokens.defined()) {
        return x;
    }
    const at::Tensor repeated = std::int64_t(rows.size()) == end
        ? tokens
        : tokens.index_select(0, at::tensor(rows, at::kLong).to(x.device()));
    return x.index_copy(0, at::tensor(places, at::kLong).to(x.device()), repeated);
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

std::int64_t Learner::weight(std::span<const Example> examples) const
{
    std::int64_t sum = 0;
    for (const Example& example : examples) {
        sum += m_options.dense ? 1 : example.targets();
    }
    return sum;
}

/// Of each picture as a whole: its one tile or the thumbnail.
at::Tensor Learner::denseLoss(std::span<const Example> examples, const at::Tensor& tokens) const
{
    const std::int64_t perTile = m_config.tiling().tokensPerTile;
    std::vector<std::vector<mini::Object>> pictures;
    std::vector<at::Tensor> whole;
    std::int64_t tiles = 0;
    for (const Example& example : examples) {
        if (example.sharesTiles) {
            continue;
        }
        tiles += std::int64_t(example.tiles.size());
        whole.push_back(tokens.narrow(0, (tiles - 1) * perTile, perTile));
        pictures.push_back(example.objects);
    }
    return m_dense->loss(at::cat(whole), pictures);
}

at::Tensor Learner::loss(std::span<const Example> examples) const
{
    const at::Tensor tokens = look(examples);
    if (m_options.dense) {
        return denseLoss(examples, tokens);
    }
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
    const at::Tensor x = embed(examples, tokens);
    const at::Tensor states =
        m_language.states(x, lengths, m_options.recompute ? recomputed : RunLayer());
    const at::Tensor places = at::tensor(rows, at::kLong).to(x.device());
    const at::Tensor words =
        crossEntropy(states.index_select(0, places), at::tensor(targets, at::kLong).to(x.device()));
    if (m_options.denseShare == 0) {
        return words;
    }
    // words are summed over targets, the head's loss over pictures
    const auto pictures = std::count_if(examples.begin(), examples.end(),
                                        [](const Example& one) { return !one.sharesTiles; });
    const double each = double(targets.size()) / double(pictures);
    return words + denseLoss(examples, tokens) * (m_options.denseShare * each);
}

}  // namespace inference::train
