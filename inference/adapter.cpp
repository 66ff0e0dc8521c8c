#include "inference/adapter.h"

#include "inference/error.h"
#include "inference/sha256.h"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

namespace inference {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* configFile = "adapter_config.json";
constexpr const char* weightFile = "adapter_model.safetensors";

class LowRankLinear : public Linear {
public:
    LowRankLinear(std::unique_ptr<Linear> base, LowRank part)
        : Linear(base->in(), base->out())
        , m_base(std::move(base))
        , m_part(std::move(part))
    {
    }

    at::Tensor operator()(const at::Tensor& x) const override
    {
        // also where a layer's gradient is left for later: both passes have to drop the same
        const bool learns = m_part.dropout > 0 && m_part.down.requires_grad();
        const at::Tensor seen = learns ? at::dropout(x, m_part.dropout, true) : x;
        return (*m_base)(x).add(at::linear(at::linear(seen, m_part.down), m_part.up), m_part.scale);
    }

private:
    std::unique_ptr<Linear> m_base;
    LowRank m_part;
};

std::string readText(const fs::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

json readConfig(const fs::path& path)
{
    json config = json::parse(readText(path), nullptr, false);
    if (!config.is_object()) {
        throw Error(path.string() +
                    " is missing or no JSON object; the folder of an adapter as PEFT or ms-swift "
                    "write it is expected.");
    }
    return config;
}

/// Plain LoRA is all that is computed here.
void check(const json& config, const fs::path& path)
{
    const auto refuse = [&](const std::string& what) {
        throw Error(path.string() + " asks for " + what +
                    ", which this version does not compute; merge the adapter into its model with "
                    "the program that trained it.");
    };
    if (config.value("peft_type", "") != "LORA") {
        refuse("peft_type " + config.value("peft_type", json()).dump() +
               " where \"LORA\" is expected");
    }
    for (const char* field : {"use_dora", "fan_in_fan_out", "lora_bias"}) {
        if (config.value(field, json(false)) == json(true)) {
            refuse(field);
        }
    }
    if (const json bias = config.value("bias", json("none")); bias != "none") {
        refuse("bias " + bias.dump());
    }
    for (const char* field : {"modules_to_save", "alpha_pattern", "layer_replication"}) {
        if (const json value = config.value(field, json()); !value.is_null() && !value.empty()) {
            refuse(std::string(field) + " " + value.dump().substr(0, 60));
        }
    }
    if (!config.contains("lora_alpha") || !config["lora_alpha"].is_number()) {
        throw Error(path.string() + " has no number lora_alpha; it is damaged.");
    }
}

}  // namespace

std::unique_ptr<Linear> addLowRank(std::unique_ptr<Linear> base, LowRank part)
{
    return std::make_unique<LowRankLinear>(std::move(base), std::move(part));
}

Adapter::Adapter(const fs::path& folder)
    : m_folder(folder)
    , m_file([&] {
        check(readConfig(folder / configFile), folder / configFile);
        return SafetensorsFile(folder / weightFile);
    }())
{
    const json config = readConfig(folder / configFile);
    m_alpha = config["lora_alpha"].get<double>();
    m_rootScale = config.value("use_rslora", json(false)) == json(true);
    const auto refuse = [&](const std::string& what) {
        throw Error(m_file.path().string() + what);
    };
    for (const auto& [name, tensor] : m_file.tensors()) {
        constexpr std::string_view front = "base_model.model.";
        const bool down = name.ends_with(".lora_A.weight"), up = name.ends_with(".lora_B.weight");
        if (!name.starts_with(front) || (!down && !up) || tensor.shape.size() != 2) {
            refuse(": tensor " + name +
                   " is no LoRA weight (base_model.model.….lora_A.weight or lora_B.weight is "
                   "expected); the adapter is of another kind.");
        }
        if (tensor.dtype != "F32" && tensor.dtype != "BF16" && tensor.dtype != "F16") {
            refuse(": tensor " + name + " is stored as " + tensor.dtype +
                   " where F32, BF16 or F16 is expected.");
        }
        constexpr std::size_t end = std::string_view(".lora_A.weight").size();
        Place& place = m_parts[name.substr(front.size(), name.size() - front.size() - end)];
        (down ? place.down : place.up) = &tensor;
    }
    for (const auto& [linear, place] : m_parts) {
        if (!place.down || !place.up || place.down->shape[0] != place.up->shape[1]) {
            refuse(": " + linear +
                   " has no lora_A and lora_B of one rank; the adapter is damaged.");
        }
    }
    if (m_parts.empty()) {
        refuse(" holds no LoRA weight.");
    }
}

std::string Adapter::hash() const
{
    Sha256 sum;
    sum.add(readText(m_folder / configFile));
    sum.add(m_file.mapping().get(), std::size_t(m_file.size()));
    return sum.hex();
}

std::vector<std::string> Adapter::linears() const
{
    std::vector<std::string> names;
    for (const auto& [linear, place] : m_parts) {
        names.push_back(linear);
    }
    return names;
}

at::Tensor Adapter::read(const StoredTensor& tensor) const
{
    const at::ScalarType type = tensor.dtype == "F32" ? at::kFloat
        : tensor.dtype == "F16"                       ? at::kHalf
                                                      : at::kBFloat16;
    at::Tensor values = at::empty(tensor.shape, at::TensorOptions(type));
    std::memcpy(values.data_ptr(), m_file.data(tensor), tensor.bytes);
    return values;
}

LowRank Adapter::part(const std::string& linear, std::int64_t in, std::int64_t out) const
{
    const Place& place = m_parts.at(linear);
    const std::int64_t rank = place.down->shape[0];
    if (place.down->shape[1] != in || place.up->shape[0] != out) {
        throw Error(m_file.path().string() + ": " + linear + " is for a linear of " +
                    std::to_string(place.down->shape[1]) + " to " +
                    std::to_string(place.up->shape[0]) + " where the model has " +
                    std::to_string(in) + " to " + std::to_string(out) +
                    "; the adapter was trained on another model.");
    }
    const double divisor = m_rootScale ? std::sqrt(double(rank)) : double(rank);
    return {read(*place.down), read(*place.up), m_alpha / divisor, 0};
}

}  // namespace inference
