#include "inference/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace inference::train {

double cosineWithWarmup(std::int64_t step, std::int64_t steps, std::int64_t warmup)
{
    if (step < warmup) {
        return double(step) / double(warmup);
    }
    const double progress =
        double(step - warmup) / double(std::max<std::int64_t>(1, steps - warmup));
    return std::max(0.0, 0.5 * (1 + std::cos(std::numbers::pi * progress)));
}

}  // namespace inference::train
