#pragma once

#include "inference/error.h"

#include <stop_token>

namespace inference {

/// Long work calls this between steps of at most about 100 ms. Throws Cancelled.
inline void throwIfStopped(const std::stop_token& stop)
{
    if (stop.stop_requested()) {
        throw Cancelled();
    }
}

}  // namespace inference
