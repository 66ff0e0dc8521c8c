#include "inference/train/dense_head.h"

#include "inference/error.h"
#include "inference/matrix.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace inference::train {
namespace {

constexpr std::int64_t patchesPerToken = 4;             // 2 x 2, as the pixel shuffle joins them
constexpr std::int64_t classes = mini::thingCount + 1;  // 0: nothing
constexpr std::int64_t colours = std::int64_t(mini::colourNames.size()) + 1;
constexpr std::int64_t percents = 100;
constexpr std::int64_t places = 7;  // x, y, size and the four sides
constexpr double spread = 0.7;      // of a percent value over its neighbours: 31.5 is 31 and 32

/// Where an object's centre is: row of `tokens`, patch of that token.
struct Cell {
    std::int64_t token = 0, patch = 0;
};

Cell cellOf(const mini::Extent& extent, std::int64_t tokensPerSide)
{
    const std::int64_t patches = 2 * tokensPerSide;
    const auto along = [&](double percent) {
        return std::clamp<std::int64_t>(std::int64_t(percent / 100 * double(patches)), 0,
                                        patches - 1);
    };
    const std::int64_t column = along(extent.x()), row = along(extent.y());
    return {row / 2 * tokensPerSide + column / 2, row % 2 * 2 + column % 2};
}

/// A percent value as a distribution over 00 .. 99.
std::array<float, percents> distribution(double percent)
{
    const double at = std::clamp(percent, 0.0, 99.0);
    std::array<float, percents> shares{};
    double sum = 0;
    for (std::int64_t i = 0; i < percents; ++i) {
        const double away = (double(i) - at) / spread;
        const double share = std::exp(-away * away / 2);
        shares[std::size_t(i)] = float(share);
        sum += share;
    }
    for (float& share : shares) {
        share = float(share / sum);
    }
    return shares;
}

}  // namespace

DenseHead::DenseHead(std::int64_t width, std::int64_t tokensPerSide, std::uint64_t seed,
                     at::TensorOptions options, std::vector<Parameter>& parameters)
    : m_side(tokensPerSide)
{
    at::Generator generator = at::detail::createCPUGenerator(seed);
    const auto add = [&](const char* name, std::int64_t values) {
        const double most = 1 / std::sqrt(double(width));
        Parameter one{name, {}, {}, {}, true};
        one.master = at::empty({patchesPerToken * values, width}, at::kFloat)
                         .uniform_(-most, most, generator)
                         .to(options.device());
        one.value = options.dtype() == at::kFloat ? one.master : one.master.to(options);
        one.value.set_requires_grad(true);
        one.passing = true;
        parameters.push_back(one);
        return one.value;
    };
    m_classes = add("dense.classes", classes);
    m_colours = add("dense.colours", colours);
    m_places = add("dense.places", places * percents);
}

at::Tensor DenseHead::loss(const at::Tensor& tokens,
                           std::span<const std::vector<mini::Object>> pictures) const
{
    const std::int64_t perTile = m_side * m_side, all = std::int64_t(pictures.size()) * perTile;
    if (tokens.size(0) != all) {
        throw Error("The dense warm-up learns from pictures of one tile; " +
                    std::to_string(pictures.size()) + " pictures became " +
                    std::to_string(tokens.size(0) / perTile) + " tiles.");
    }
    std::vector<std::int64_t> kinds(std::size_t(all * patchesPerToken), 0);
    std::vector<const mini::Object*> holders(kinds.size(), nullptr);
    for (std::size_t picture = 0; picture < pictures.size(); ++picture) {
        for (const mini::Object& object : pictures[picture]) {
            const Cell cell = cellOf(object.extent, m_side);
            const auto at = std::size_t(
                (std::int64_t(picture) * perTile + cell.token) * patchesPerToken + cell.patch);
            if (holders[at] == nullptr || holders[at]->extent.size() < object.extent.size()) {
                holders[at] = &object;
                kinds[at] = std::int64_t(object.thing) + 1;
            }
        }
    }
    std::vector<std::int64_t> rows, patches, hues;
    std::vector<float> shares;
    for (std::size_t at = 0; at < holders.size(); ++at) {
        const mini::Object* object = holders[at];
        if (object == nullptr) {
            continue;
        }
        rows.push_back(std::int64_t(at) / patchesPerToken);
        patches.push_back(std::int64_t(at) % patchesPerToken);
        hues.push_back(object->colour + 1);
        const mini::Extent& extent = object->extent;
        for (const double value : {extent.x(), extent.y(), extent.size(), extent.left, extent.top,
                                   extent.right, extent.bottom}) {
            const auto some = distribution(value);
            shares.insert(shares.end(), some.begin(), some.end());
        }
    }
    const at::Device device = tokens.device();
    const at::Tensor classLogits =
        multiplyRows(tokens, m_classes, {}).to(at::kFloat).view({-1, classes});
    const at::Tensor ofClass = at::cross_entropy_loss(
        classLogits, at::tensor(kinds, at::kLong).to(device), {}, at::Reduction::Sum);
    if (rows.empty()) {
        return ofClass;
    }
    const auto found = std::int64_t(rows.size());
    const at::Tensor which = at::tensor(patches, at::kLong).to(device);
    const at::Tensor each = at::arange(found, which.options());
    const at::Tensor seen = tokens.index_select(0, at::tensor(rows, at::kLong).to(device));
    // the values of that patch alone
    const auto ofPatch = [&](const at::Tensor& weights, std::int64_t values) {
        return multiplyRows(seen, weights, {})
            .to(at::kFloat)
            .view({found * patchesPerToken, values})
            .index_select(0, each * patchesPerToken + which);
    };
    const at::Tensor ofColour =
        at::cross_entropy_loss(ofPatch(m_colours, colours), at::tensor(hues, at::kLong).to(device),
                               {}, at::Reduction::Sum);
    const at::Tensor ofPlace = at::cross_entropy_loss(
        ofPatch(m_places, places * percents).view({-1, percents}),
        at::tensor(shares, at::kFloat).view({-1, percents}).to(device), {}, at::Reduction::Sum);
    return ofClass + ofColour + ofPlace / double(places);
}

}  // namespace inference::train
