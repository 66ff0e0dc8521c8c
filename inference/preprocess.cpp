#include "inference/preprocess.h"

#include "inference/error.h"

#include <ATen/ATen.h>

#include <array>

namespace inference {
namespace {

using Table = std::array<std::array<float, 256>, 3>;

/// Only 3 x 256 values exist.
const Table& normalised()
{
    static const Table table = [] {
        constexpr float mean[3] = {0.485F, 0.456F, 0.406F};
        constexpr float deviation[3] = {0.229F, 0.224F, 0.225F};
        Table values{};
        for (int channel = 0; channel < 3; ++channel) {
            for (int sample = 0; sample < 256; ++sample) {
                values[channel][sample] =
                    (float(sample) / 255.0F - mean[channel]) / deviation[channel];
            }
        }
        return values;
    }();
    return table;
}

}  // namespace

at::Tensor toTensor(const std::vector<Image>& tiles)
{
    const int side = tiles.empty() ? 0 : tiles.front().width;
    at::Tensor pixels = at::empty({std::int64_t(tiles.size()), 3, side, side}, at::kFloat);
    float* plane = pixels.data_ptr<float>();
    for (const Image& tile : tiles) {
        if (tile.isNull() || tile.width != side || tile.height != side) {
            throw Error("A tile has " + std::to_string(tile.width) + " x " +
                        std::to_string(tile.height) + " pixels where " + std::to_string(side) +
                        " x " + std::to_string(side) +
                        " are expected; this is a fault of the program.");
        }
        for (const auto& value : normalised()) {
            const auto channel = &value - normalised().data();
            for (int y = 0; y < side; ++y, plane += side) {
                const std::uint8_t* sample = tile.row(y) + channel;
                for (int x = 0; x < side; ++x) {
                    plane[x] = value[sample[3 * x]];
                }
            }
        }
    }
    return pixels;
}

}  // namespace inference
