#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace inference::train {

using StorePtr = c10::intrusive_ptr<c10d::Store>;
using BackendPtr = c10::intrusive_ptr<c10d::Backend>;

/// A sum may take as long as another process writes a checkpoint; whether it still lives is
/// watched otherwise.
inline constexpr std::chrono::hours longestSum(24);

/// Sums on CPUs of this machine. Defined where the build has Gloo's headers (KVL_GLOO).
BackendPtr makeGloo(const StorePtr& store, int rank, int size);

/// Sums on GPUs: the one symbol of libkvl_nccl.so.
using MakeNccl = void (*)(const StorePtr& store, int rank, int size, BackendPtr& made);
inline constexpr const char* makeNcclSymbol = "kvlMakeNccl";

}  // namespace inference::train
