#include "app/password.h"
#include "app/pictures.h"

#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr long long mostFrames = 1'000'000'000;

/// "A-B" or "A-B:STEP"
FrameRange frameRange(const std::string& text)
{
    const std::size_t dash = text.find('-');
    if (dash == std::string::npos) {
        throw UsageError("--frames is \"" + text + "\"; expected A-B or A-B:STEP, as 0-60:10");
    }
    const std::size_t colon = std::min(text.find(':', dash), text.size());
    const auto part = [&](std::size_t from, std::size_t to, long long least) {
        return static_cast<int>(
            wholeNumber("--frames", text.substr(from, to - from), least, mostFrames));
    };
    FrameRange range{part(0, dash, 0), part(dash + 1, colon, 0), 1};
    if (colon < text.size()) {
        range.step = part(colon + 1, text.size(), 1);
    }
    if (range.last < range.first) {
        throw UsageError("--frames is \"" + text + "\"; expected the first frame before the last");
    }
    // each costs hundreds of tokens, so no model's context holds more; and the sum stays an int
    constexpr int most = 1000;
    if ((range.last - range.first) / range.step >= most) {
        throw UsageError("--frames is \"" + text + "\", " +
                         std::to_string((range.last - range.first) / range.step + 1) +
                         " frames; at most " + std::to_string(most) +
                         " are asked about, a larger step takes fewer");
    }
    return range;
}

}  // namespace

void applyChoice(PictureChoice& choice, const Arguments::Item& option)
{
    if (option.name == "--frame") {
        choice.frame = static_cast<int>(wholeNumber("--frame", option.value, 0, 1'000'000'000));
        choice.frames.reset();
    } else if (option.name == "--frames") {
        choice.frames = frameRange(option.value);
    } else if (option.name == "--window") {
        const std::vector<double> window = numbers("--window", option.value, '/', 2);
        if (window[1] <= 0) {
            throw UsageError("--window is \"" + option.value + "\"; expected a width above 0");
        }
        choice.window = {window[0], window[1]};
    } else if (option.name == "--region") {
        const std::vector<double> sides = numbers("--region", option.value, ',', 4);
        Region region;
        int* const fields[] = {&region.x, &region.y, &region.width, &region.height};
        for (std::size_t i = 0; i < 4; ++i) {
            if (sides[i] < 0 || sides[i] > 1e9 || sides[i] != std::floor(sides[i])) {
                throw UsageError("--region is \"" + option.value +
                                 "\"; expected x,y,width,height in whole pixels");
            }
            *fields[i] = static_cast<int>(sides[i]);
        }
        choice.region = region;
    } else if (option.name == "--as-shown") {
        choice.asShown = true;
    } else if (option.name == "--password") {
        choice.password = option.value == "-" ? askPassword() : option.value;
    }
}

}  // namespace app
