#pragma once

#include "inference/random_checkpoint.h"

namespace test {

using inference::CheckpointOptions;
using inference::shapeNames;
using inference::weightKey;
using inference::weightValue;
using inference::writeCheckpoint;

}  // namespace test
