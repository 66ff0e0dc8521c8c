#pragma once

#include "inference/random_checkpoint.h"
#include "support/temporary_folder.h"

namespace test {

using inference::CheckpointOptions;
using inference::shapeNames;
using inference::weightKey;
using inference::weightValue;
using inference::writeCheckpoint;

/// A tiny random checkpoint with the small tokenizer, written once a program.
inline const std::filesystem::path& tinyCheckpoint()
{
    static const TemporaryFolder folder;
    static const bool written =
        (writeCheckpoint(folder.path(),
                         {.tokenizer = std::filesystem::path(KVL_TEST_DATA) / "tokenizer-small"}),
         true);
    (void)written;
    return folder.path();
}

}  // namespace test
