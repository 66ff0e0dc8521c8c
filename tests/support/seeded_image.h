#pragma once

#include "inference/seeded_image.h"

namespace test {

using inference::seededImage;

}  // namespace test
