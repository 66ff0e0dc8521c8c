#include "inference/train/training_state.h"

#include "inference/error.h"
#include "inference/train/safetensors_writer.h"
#include "inference/train/whole_file.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

namespace inference::train {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* stateFile = "training.safetensors";
constexpr const char* settingsFile = "training.json";
constexpr std::uintmax_t largestText = 64 << 20;

/// Contiguous tensors on the CPU, held until they are written.
class TensorList {
public:
    void add(const std::string& name, const at::Tensor& tensor, at::ScalarType type)
    {
        m_held.push_back(tensor.detach().to(at::kCPU, type).contiguous());
        const at::Tensor& held = m_held.back();
        m_list.push_back({name,
                          type == at::kBFloat16 ? "BF16" : "F32",
                          held.sizes().vec(),
                          {static_cast<const std::byte*>(held.const_data_ptr()), held.nbytes()}});
    }
    const std::vector<TensorBytes>& list() const { return m_list; }

private:
    std::vector<at::Tensor> m_held;
    std::vector<TensorBytes> m_list;
};

/// Everything beside the weights: config, tokenizer, templates, code, licence.
void copyTexts(const fs::path& from, const fs::path& to)
{
    for (const fs::directory_entry& entry : fs::directory_iterator(from)) {
        const std::string name = entry.path().filename().string();
        const std::string suffix = entry.path().extension().string();
        const bool weights = suffix == ".safetensors" || suffix == ".bin" || suffix == ".pt" ||
            suffix == ".gguf" || suffix == ".partial" || name == "model.safetensors.index.json" ||
            name == settingsFile || name == "log.jsonl" || name == "training.svg";
        if (!entry.is_regular_file() || weights || entry.file_size() > largestText) {
            continue;
        }
        std::ifstream file(entry.path(), std::ios::binary);
        writeWhole(to / name, std::string(std::istreambuf_iterator<char>(file), {}));
    }
}

at::ScalarType dtypeOf(const Checkpoint& origin, const std::string& name)
{
    return origin.tensor(origin.names(name).front()).scalar_type();
}

ordered_json readJson(const fs::path& path)
{
    std::ifstream file(path, std::ios::binary);
    ordered_json json = ordered_json::parse(file, nullptr, false);
    if (!file || !json.is_object()) {
        throw Error(path.string() +
                    " is missing or no JSON object; the folder is no checkpoint of a training.");
    }
    return json;
}

}  // namespace

void writeModel(const fs::path& folder, const Checkpoint& origin,
                const std::vector<Parameter>& parameters, const std::string& dtype)
{
    std::error_code error;
    fs::create_directories(folder, error);
    if (!fs::equivalent(origin.info().folder, folder, error)) {
        copyTexts(origin.info().folder, folder);
    }
    if (!dtype.empty()) {
        ordered_json config = readJson(folder / "config.json");
        config["torch_dtype"] = dtype == "bf16" ? "bfloat16" : "float32";
        writeWhole(folder / "config.json", config.dump(2) + "\n");
    }
    TensorList list;
    for (const Parameter& one : parameters) {
        if (one.passing) {
            continue;
        }
        const std::vector<std::string> names = origin.names(one.name);
        const at::Tensor& value = one.master.defined() ? one.master : one.value;
        const std::vector<at::Tensor> parts = value.detach().chunk(std::int64_t(names.size()), 0);
        for (std::size_t i = 0; i < names.size(); ++i) {
            list.add(names[i], parts[i],
                     dtype.empty()         ? dtypeOf(origin, one.name)
                         : dtype == "bf16" ? at::kBFloat16
                                           : at::kFloat);
        }
    }
    writeSafetensors(folder / "model.safetensors", list.list());
}

void writeAdapter(const fs::path& folder, const Checkpoint& origin, const LoRa& lora,
                  const std::vector<Parameter>& parameters)
{
    std::error_code error;
    fs::create_directories(folder, error);
    const ordered_json config{{"base_model_name_or_path", origin.info().folder.string()},
                              {"bias", "none"},
                              {"fan_in_fan_out", false},
                              {"inference_mode", true},
                              {"init_lora_weights", true},
                              {"lora_alpha", lora.alpha},
                              {"lora_dropout", lora.dropout},
                              {"modules_to_save", nullptr},
                              {"peft_type", "LORA"},
                              {"r", lora.rank},
                              {"target_modules", lora.targets},
                              {"task_type", "CAUSAL_LM"},
                              {"use_dora", false},
                              {"use_rslora", false}};
    writeWhole(folder / "adapter_config.json", config.dump(2) + "\n");
    TensorList list;
    for (const Parameter& one : parameters) {
        if (one.name.starts_with("base_model.model.")) {
            list.add(one.name, one.master, at::kFloat);
        }
    }
    writeSafetensors(folder / "adapter_model.safetensors", list.list());
}

std::vector<Parameter> merged(const std::vector<Parameter>& parameters, const LoRa& lora)
{
    const at::NoGradGuard noGrad;
    std::map<std::string, at::Tensor> parts;
    std::vector<Parameter> result;
    for (const Parameter& one : parameters) {
        if (one.name.starts_with("base_model.model.")) {
            parts[one.name] = one.master;
        } else {
            result.push_back(one);
        }
    }
    for (Parameter& one : result) {
        constexpr std::string_view suffix = ".weight";
        const std::string linear =
            one.name.substr(0, one.name.size() - std::min(one.name.size(), suffix.size()));
        if (const auto down = parts.find(loraA(linear)); down != parts.end()) {
            one.master = one.value.to(at::kFloat) +
                at::matmul(parts.at(loraB(linear)), down->second) * lora.scale();
        }
    }
    return result;
}

void saveTraining(const fs::path& folder, const Checkpoint& origin,
                  const std::vector<Parameter>& parameters, std::vector<AdamW::State>& states,
                  const LoRa& lora, std::int64_t step, const std::string& settings)
{
    const fs::path beside = folder.string() + ".partial";
    std::error_code error;
    fs::remove_all(beside, error);
    if (lora.rank > 0) {
        writeAdapter(beside, origin, lora, parameters);
    } else {
        writeModel(beside, origin, parameters);
    }
    TensorList list;
    for (const Parameter& one : parameters) {
        if (one.master.defined() &&
            (lora.rank > 0 || one.passing || dtypeOf(origin, one.name) != at::kFloat)) {
            list.add("master/" + one.name, one.master, at::kFloat);
        }
    }
    for (const AdamW::State& state : states) {
        list.add("mean/" + state.name, state.mean, at::kFloat);
        list.add("square/" + state.name, state.square, at::kFloat);
        list.add("steps/" + state.name, state.steps, at::kFloat);
    }
    writeSafetensors(beside / stateFile, list.list());
    const ordered_json text{{"step", step}, {"settings", ordered_json::parse(settings)}};
    writeWhole(beside / settingsFile, text.dump(2) + "\n");
    fs::remove_all(folder, error);
    renameFolder(beside, folder);
}

std::int64_t loadTraining(const fs::path& folder, std::vector<Parameter>& parameters,
                          std::vector<AdamW::State>& states, const std::string& settings)
{
    const ordered_json saved = readJson(folder / settingsFile);
    if (!saved.contains("step") || !saved["step"].is_number_unsigned() ||
        !saved.contains("settings") || !saved["settings"].is_object()) {
        throw Error((folder / settingsFile).string() +
                    " has no step and settings; it was edited or is of another version.");
    }
    const auto compare = [&](const ordered_json& before, const ordered_json& now) {
        for (const auto& [name, value] : now.items()) {
            if (before.value(name, ordered_json()) != value) {
                throw Error(folder.string() + " was trained with " + name + " " +
                            before.value(name, ordered_json()).dump() + " where now " +
                            value.dump() +
                            " is asked for; a training goes on with the settings and the data it "
                            "began with.");
            }
        }
    };
    ordered_json asked = ordered_json::parse(settings);
    if (saved["settings"].value("data", ordered_json()).is_object()) {  // not in older checkpoints
        compare(saved["settings"]["data"], asked["data"]);
    }
    asked.erase("data");
    compare(saved["settings"], asked);
    const SafetensorsFile file(folder / stateFile);
    const auto read = [&](const std::string& name, at::Tensor& into) {
        const auto at = file.tensors().find(name);
        if (at == file.tensors().end() || at->second.dtype != "F32" ||
            at->second.shape != into.sizes().vec()) {
            throw Error(file.path().string() + " has no tensor " + name +
                        " of the model's shape; the checkpoint is of another training.");
        }
        at::Tensor values = at::empty(into.sizes(), at::kFloat);
        std::memcpy(values.data_ptr(), file.data(at->second), at->second.bytes);
        const at::NoGradGuard noGrad;
        into.copy_(values);
    };
    for (Parameter& one : parameters) {
        if (one.master.defined() && file.tensors().contains("master/" + one.name)) {
            read("master/" + one.name, one.master);
        }
    }
    publish(parameters);
    for (AdamW::State& state : states) {
        read("mean/" + state.name, state.mean);
        read("square/" + state.name, state.square);
        read("steps/" + state.name, state.steps);
    }
    return saved["step"].get<std::int64_t>();
}

std::string checkpointName(std::int64_t step)
{
    char name[40];
    std::snprintf(name, sizeof name, "checkpoint-%06lld", static_cast<long long>(step));
    return name;
}

std::vector<fs::path> checkpointsIn(const fs::path& out)
{
    std::vector<fs::path> all;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(out, error)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("checkpoint-") &&
            name.find_first_not_of("0123456789", 11) == std::string::npos) {
            all.push_back(entry.path());
        }
    }
    std::sort(all.begin(), all.end(), [](const fs::path& a, const fs::path& b) {
        return std::pair(a.native().size(), a) < std::pair(b.native().size(), b);
    });
    return all;
}

}  // namespace inference::train
