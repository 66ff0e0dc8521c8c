#pragma once

#include <cstdint>

namespace inference::train {

/// The factor of the learning rate at step 0, 1, ...: up from 0 in a line over `warmup` steps, down
/// to 0 at `steps` in half a cosine; transformers' get_cosine_schedule_with_warmup.
double cosineWithWarmup(std::int64_t step, std::int64_t steps, std::int64_t warmup);

}  // namespace inference::train
