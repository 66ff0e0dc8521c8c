#include "inference/resize.h"

#include "inference/error.h"
#include "inference/resize_weights.h"
#include "inference/stop.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>

namespace inference {

namespace {

using namespace resizing;

constexpr int largestSide = 65536;

double weightAt(Filter filter, double t)
{
    t = std::abs(t);
    if (filter == Filter::Bilinear) {
        return t < 1 ? 1 - t : 0;
    }
    constexpr double a = -0.5;
    if (t < 1) {
        return ((a + 2) * t - (a + 3)) * t * t + 1;
    }
    if (t < 2) {
        return (((t - 5) * t + 8) * t - 4) * a;
    }
    return 0;
}

Weights makeWeights(int from, int to, Filter filter)
{
    const double scale = double(from) / to;
    const double filterScale = std::max(scale, 1.0);
    const double support = (filter == Filter::Bilinear ? 1.0 : 2.0) * filterScale;
    const double step = 1.0 / filterScale;
    Weights weights;
    std::vector<double> shares;
    for (int x = 0; x < to; ++x) {
        const double centre = (x + 0.5) * scale;
        const double low = centre - support + 0.5, high = centre + support + 0.5;
        const int first = std::max(int(low), 0);  // int() cuts towards zero, as in Pillow
        const int end = std::min(int(high), from);
        shares.clear();
        double sum = 0;
        for (int k = 0; k < end - first; ++k) {
            shares.push_back(weightAt(filter, (k + first - centre + 0.5) * step));
            sum += shares.back();
        }
        weights.spans.push_back({first, end - first, weights.values.size()});
        for (const double share : shares) {
            const double fixed = (sum != 0 ? share / sum : share) * (1 << precisionBits);
            weights.values.push_back(std::int32_t(fixed + (fixed < 0 ? -0.5 : 0.5)));
        }
    }
    return weights;
}

std::uint8_t clamped(std::int32_t sum)
{
    return std::uint8_t(std::clamp(sum >> precisionBits, 0, 255));
}

struct Canvas {
    int width = 0, height = 0;
    std::shared_ptr<std::uint8_t[]> pixels;

    Canvas(int w, int h)
        : width(w)
        , height(h)
        , pixels(new std::uint8_t[std::size_t(w) * std::size_t(h) * 3])
    {
    }
    std::size_t stride() const { return std::size_t(width) * 3; }
    std::uint8_t* row(int y) { return pixels.get() + std::size_t(y) * stride(); }
    Image image() const { return {width, height, width * 3, {pixels, pixels.get()}}; }
};

Image widened(const Image& image, int width, Filter filter, const std::stop_token& stop)
{
    const Weights weights = makeWeights(image.width, width, filter);
    Canvas canvas(width, image.height);
    for (int y = 0; y < image.height; ++y) {
        throwIfStopped(stop);
        std::uint8_t* out = canvas.row(y);
        for (const Weights::Span& span : weights.spans) {
            const std::uint8_t* in = image.row(y) + std::ptrdiff_t(3) * span.first;
            const std::int32_t* value = weights.values.data() + span.offset;
            std::array<std::int32_t, 3> sum{rounding, rounding, rounding};
            for (int k = 0; k < span.count; ++k, in += 3) {
                for (std::size_t c = 0; c < 3; ++c) {
                    sum[c] += in[c] * value[k];
                }
            }
            for (const std::int32_t channel : sum) {
                *out++ = clamped(channel);
            }
        }
    }
    return canvas.image();
}

Image heightened(const Image& image, int height, Filter filter, const std::stop_token& stop)
{
    const Weights weights = makeWeights(image.height, height, filter);
    Canvas canvas(image.width, height);
    std::vector<std::int32_t> sums(canvas.stride());
    for (int y = 0; y < height; ++y) {
        throwIfStopped(stop);
        const Weights::Span& span = weights.spans[std::size_t(y)];
        std::fill(sums.begin(), sums.end(), rounding);
        for (int k = 0; k < span.count; ++k) {
            const std::int32_t value = weights.values[span.offset + std::size_t(k)];
            const std::uint8_t* in = image.row(span.first + k);
            for (std::size_t i = 0; i < sums.size(); ++i) {
                sums[i] += in[i] * value;
            }
        }
        std::transform(sums.begin(), sums.end(), canvas.row(y), clamped);
    }
    return canvas.image();
}

Image resizeRows(const Image& image, PixelSize size, Filter filter, const std::stop_token& stop)
{
    const Image wide = size.width == image.width ? image : widened(image, size.width, filter, stop);
    return size.height == wide.height ? wide : heightened(wide, size.height, filter, stop);
}

void check(const Image& image, const std::vector<PixelSize>& sizes)
{
    if (image.isNull() || image.stride / 3 < image.width) {
        throw Error("The picture has no pixels.");
    }
    for (const PixelSize& size : sizes) {
        if (size.width < 1 || size.height < 1 || size.width > largestSide ||
            size.height > largestSide) {
            throw Error("A picture cannot be resized to " + std::to_string(size.width) + " x " +
                        std::to_string(size.height) + " pixels; each side must be 1.." +
                        std::to_string(largestSide) + ".");
        }
    }
}

#if defined(__x86_64__)

bool hasAvx2()
{
    static const bool has = __builtin_cpu_supports("avx2");
    return has;
}

PairedWeights paired(const Weights& weights)
{
    PairedWeights pairs;
    for (const Weights::Span& span : weights.spans) {
        const int first = span.first / 2;
        const int count = span.count == 0 ? 0 : (span.first + span.count + 1) / 2 - first;
        pairs.spans.push_back({first, count, pairs.words.size()});
        const auto at = [&](int source) {
            const int k = source - span.first;
            return k >= 0 && k < span.count ? weights.values[span.offset + std::size_t(k)] : 0;
        };
        for (int pair = first; pair < first + count; ++pair) {
            const std::int32_t a = at(2 * pair), b = at(2 * pair + 1);
            const auto both = [](std::int32_t x, std::int32_t y) {
                return (std::uint32_t(x) & 0xffff) | std::uint32_t(y) << 16;
            };
            constexpr std::int32_t mask = (1 << PairedWeights::splitBits) - 1;
            pairs.words.push_back(
                {both(a & mask, b & mask),
                 both(a >> PairedWeights::splitBits, b >> PairedWeights::splitBits)});
        }
    }
    return pairs;
}

std::vector<Image> resizeWithVectors(const Image& image, const std::vector<PixelSize>& sizes,
                                     Filter filter, const std::stop_token& stop)
{
    struct Target {
        PairedWeights across;
        Canvas canvas;  // after the horizontal pass
    };
    std::vector<Target> targets;
    for (const PixelSize& size : sizes) {
        if (size.width != image.width) {
            targets.push_back({paired(makeWeights(image.width, size.width, filter)),
                               Canvas(size.width, image.height)});
        }
    }
    std::vector<std::uint8_t> packed(targets.empty() ? 0 : packedBytes(image.width));
    for (int y = 0; y < image.height && !targets.empty(); y += blockRows) {
        throwIfStopped(stop);
        const int count = std::min(blockRows, image.height - y);
        std::array<const std::uint8_t*, blockRows> in;
        for (int i = 0; i < blockRows; ++i) {
            in[std::size_t(i)] = image.row(y + std::min(i, count - 1));
        }
        packRows(in.data(), image.width, packed.data());
        for (Target& target : targets) {
            std::array<std::uint8_t*, blockRows> out;
            for (int i = 0; i < count; ++i) {
                out[std::size_t(i)] = target.canvas.row(y + i);
            }
            mixColumns(packed.data(), target.across, out.data(), count);
        }
    }

    std::vector<Image> results;
    std::size_t next = 0;
    for (const PixelSize& size : sizes) {
        const Image wide = size.width != image.width ? targets[next++].canvas.image() : image;
        if (size.height == wide.height) {
            results.push_back(wide);
            continue;
        }
        const PairedWeights down = paired(makeWeights(wide.height, size.height, filter));
        Canvas canvas(size.width, size.height);
        for (int y = 0; y < size.height; ++y) {
            throwIfStopped(stop);
            mixRows(wide, down, y, canvas.row(y), canvas.stride());
        }
        results.push_back(canvas.image());
    }
    return results;
}

#endif

}  // namespace

Image resizeScalar(const Image& image, PixelSize size, Filter filter)
{
    check(image, {size});
    return resizeRows(image, size, filter, {});
}

std::vector<Image> resize(const Image& image, const std::vector<PixelSize>& sizes, Filter filter,
                          const std::stop_token& stop)
{
    check(image, sizes);
#if defined(__x86_64__)
    if (hasAvx2()) {
        return resizeWithVectors(image, sizes, filter, stop);
    }
#endif
    std::vector<Image> results;
    results.reserve(sizes.size());
    for (const PixelSize& size : sizes) {
        results.push_back(resizeRows(image, size, filter, stop));
    }
    return results;
}

Image resize(const Image& image, PixelSize size, Filter filter)
{
    return resize(image, std::vector<PixelSize>{size}, filter).front();
}

}  // namespace inference
