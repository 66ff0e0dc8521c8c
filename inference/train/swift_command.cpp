#include "inference/train/swift_command.h"

#include "inference/error.h"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace inference::train {
namespace {

/// For a POSIX shell.
std::string quoted(const std::string& text)
{
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return result + "'";
}

std::string plain(double value)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.10g", value);
    return text;
}

/// ZeRO-3 in bf16 with fp32 masters; "auto" is filled in by the trainer from its own options.
std::string zero3()
{
    return nlohmann::ordered_json{{"bf16", {{"enabled", true}}},
                                  {"zero_optimization",
                                   {{"stage", 3},
                                    {"overlap_comm", true},
                                    {"contiguous_gradients", true},
                                    {"reduce_bucket_size", "auto"},
                                    {"stage3_prefetch_bucket_size", "auto"},
                                    {"stage3_param_persistence_threshold", "auto"},
                                    {"stage3_gather_16bit_weights_on_model_save", true}}},
                                  {"gradient_accumulation_steps", "auto"},
                                  {"gradient_clipping", "auto"},
                                  {"train_batch_size", "auto"},
                                  {"train_micro_batch_size_per_gpu", "auto"},
                                  {"wall_clock_breakdown", false}}
        .dump(2);
}

}  // namespace

std::string swiftScript(const TrainingOptions& options, const SwiftData& data, int processes)
{
    if (options.accumulate % processes != 0) {
        throw Error(std::to_string(processes) + " processes cannot share " +
                    std::to_string(options.accumulate) +
                    " batches a step evenly; --accumulate has to be a multiple of them.");
    }
    const std::string out = quoted(options.out.string());
    const std::string zero = quoted((options.out / "zero3.json").string());
    std::string script = "#!/bin/sh -e\n# ms-swift 3 with DeepSpeed; each step learns from " +
        std::to_string(std::int64_t(options.batch) * options.accumulate) + " conversations.\n";
    script += "mkdir -p " + out + "\ncat > " + zero + " <<'END'\n" + zero3() + "\nEND\n";
    if (!data.imageRoot.empty()) {
        script += "export ROOT_IMAGE_DIR=" + quoted(data.imageRoot.string()) + "\n";
    }
    script += "export NPROC_PER_NODE=" + std::to_string(processes) +
        " MAX_NUM=" + std::to_string(data.maxTiles) + "\nswift sft";
    const auto add = [&](const char* name, const std::string& value) {
        script += std::string(" \\\n    --") + name + " " + value;
    };
    const auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
    add("model", quoted(options.model.string()));
    add("model_type", "internvl3_5");
    add("dataset", quoted(data.file.string()));
    add("split_dataset_ratio", "0");
    if (!data.system.empty()) {
        add("system", quoted(data.system));
    }
    add("torch_dtype", "bfloat16");
    if (options.loraRank > 0) {
        add("train_type", "lora");
        add("lora_rank", std::to_string(options.loraRank));
        add("lora_alpha", plain(options.loraAlpha));
        add("lora_dropout", plain(options.loraDropout));
        std::string targets;
        for (const std::string& target : options.loraTargets) {
            targets += (targets.empty() ? "" : " ") + quoted(target);
        }
        add("target_modules", targets);
    } else {
        add("train_type", "full");
        add("freeze_vit", flag(options.freezeVision));
        add("freeze_aligner", flag(options.freezeProjector));
        add("freeze_llm", flag(options.freezeLanguage));
    }
    if (options.steps > 0) {
        add("max_steps", std::to_string(options.steps));
    } else {
        add("num_train_epochs", plain(options.epochs));
    }
    add("per_device_train_batch_size", std::to_string(options.batch));
    add("gradient_accumulation_steps", std::to_string(options.accumulate / processes));
    add("learning_rate", plain(options.learningRate));
    add("lr_scheduler_type", "cosine");
    add("warmup_ratio", plain(options.warmup));
    add("weight_decay", plain(options.weightDecay));
    add("adam_beta1", plain(options.beta1));
    add("adam_beta2", plain(options.beta2));
    add("adam_epsilon", plain(options.epsilon));
    add("max_grad_norm", plain(options.longestGradient));
    add("max_length", std::to_string(options.maxLength));
    add("truncation_strategy", "delete");
    add("gradient_checkpointing", "true");
    add("seed", std::to_string(options.seed));
    add("data_seed", std::to_string(options.seed));
    if (options.saveEvery > 0) {
        add("save_steps", std::to_string(options.saveEvery));
    }
    add("save_total_limit", std::to_string(options.keep));
    add("logging_steps", "1");
    add("deepspeed", zero);
    add("output_dir", out);
    return script + "\n";
}

}  // namespace inference::train
