#pragma once

#include "inference/checkpoint.h"
#include "inference/train/optimizer.h"
#include "inference/train/parameters.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace inference::train {

/// Writes config, tokenizer files and weights of a model to `folder`, by the names of the
/// checkpoint it came from and in its dtypes or all in `dtype` ("bf16", "fp32"), each file whole or
/// not at all. Throws Error.
void writeModel(const std::filesystem::path& folder, const Checkpoint& origin,
                const std::vector<Parameter>& parameters, const std::string& dtype = {});

/// The low-rank parts alone, as PEFT and ms-swift write and read them.
void writeAdapter(const std::filesystem::path& folder, const Checkpoint& origin, const LoRa& lora,
                  const std::vector<Parameter>& parameters);
/// The parameters of the model with the low-rank parts in them.
std::vector<Parameter> merged(const std::vector<Parameter>& parameters, const LoRa& lora);

/// A checkpoint of the way: the model, the optimiser's moments, masters where the model's dtype
/// rounds them, and `settings`, JSON that decides the curve. The folder appears whole or not at
/// all.
void saveTraining(const std::filesystem::path& folder, const Checkpoint& origin,
                  const std::vector<Parameter>& parameters, std::vector<AdamW::State>& states,
                  const LoRa& lora, std::int64_t step, const std::string& settings);

/// Puts back what saveTraining() wrote, but for the model's weights -> the step. Throws Error where
/// files are missing or `settings` differ, naming the first that does.
std::int64_t loadTraining(const std::filesystem::path& folder, std::vector<Parameter>& parameters,
                          std::vector<AdamW::State>& states, const std::string& settings);

/// "checkpoint-000300".
std::string checkpointName(std::int64_t step);
/// Complete checkpoints of the way in the folder, the oldest first.
std::vector<std::filesystem::path> checkpointsIn(const std::filesystem::path& out);

}  // namespace inference::train
