#include "inference/random_checkpoint.h"

#include "inference/config.h"
#include "inference/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <map>
#include <vector>

namespace inference {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct Tower {
    int hidden, intermediate, layers, heads;
};
struct Language {
    int hidden, intermediate, layers, heads, kvHeads, headDim, vocabulary, positions;
};
struct Shape {
    std::string tower;
    Tower vision;
    std::string family;
    Language language;
    int tile = 448, maxTiles = 12;
};

const std::map<std::string, Shape>& shapes()
{
    const std::string small = "InternViT-300M", large = "InternViT-6B";
    static const std::map<std::string, Shape> all{
        {"tiny", {small, {64, 128, 2, 4}, "Qwen3", {64, 160, 3, 4, 2, 32, 1536, 8192}}},
        // beyond so few positions the rotary frequencies are scaled
        {"tiny-qwen2", {large, {64, 128, 2, 4}, "Qwen2", {64, 160, 3, 4, 2, 16, 1536, 2280}}},
        {"tiny-internlm2",
         {small, {64, 128, 2, 4}, "InternLM2", {64, 160, 3, 4, 2, 16, 640, 3000}}},
        {"mini", {small, {192, 768, 6, 6}, "Qwen3", {192, 640, 4, 6, 6, 32, 0, 4096}, 112, 4}},
        {"small", {small, {256, 1024, 6, 4}, "Qwen3", {384, 1024, 8, 6, 2, 64, 1536, 16384}}},
        {"0.6b",
         {small, {1024, 4096, 24, 16}, "Qwen3", {1024, 3072, 28, 16, 8, 128, 151936, 40960}}},
        {"14b",
         {small, {1024, 4096, 24, 16}, "Qwen3", {5120, 17408, 40, 40, 8, 128, 151936, 40960}}},
    };
    return all;
}

void writeText(const fs::path& path, const std::string& text)
{
    std::ofstream file(path, std::ios::binary);
    file << text;
    if (!file.flush()) {
        throw Error(path.string() + " could not be written.");
    }
}

/// The number of tokens that the folder's files define, as far as json files tell.
int tokenizerSize(const fs::path& folder)
{
    int size = 0;
    for (const char* name : {"vocab.json", "added_tokens.json"}) {
        if (std::string(name) == "vocab.json" && fs::exists(folder / "tokenizer.model")) {
            continue;  // its ids are below the added ones
        }
        std::ifstream file(folder / name, std::ios::binary);
        const auto ids = nlohmann::json::parse(file, nullptr, false);
        if (!ids.is_object()) {
            throw Error(
                (folder / name).string() +
                " is missing or no JSON object; a folder with tokenizer files is expected.");
        }
        for (const auto& id : ids) {
            size = std::max(size, id.get<int>() + 1);
        }
    }
    return size;
}

ordered_json languageConfig(const Shape& shape, bool tied)
{
    const std::string kind = shape.family == "Qwen3" ? "qwen3"
        : shape.family == "Qwen2"                    ? "qwen2"
                                                     : "internlm2";
    ordered_json config{{"architectures", ordered_json::array({shape.family + "ForCausalLM"})},
                        {"model_type", kind},
                        {"hidden_size", shape.language.hidden},
                        {"intermediate_size", shape.language.intermediate},
                        {"num_hidden_layers", shape.language.layers},
                        {"num_attention_heads", shape.language.heads},
                        {"num_key_value_heads", shape.language.kvHeads},
                        {"head_dim", shape.language.headDim},
                        {"hidden_act", "silu"},
                        {"rms_norm_eps", 1e-06},
                        {"rope_theta", 1000000},
                        {"rope_scaling", nullptr},
                        {"attention_bias", false},
                        {"max_position_embeddings", shape.language.positions},
                        {"tie_word_embeddings", tied},
                        {"vocab_size", shape.language.vocabulary}};
    if (kind != "qwen3") {  // the width of a head follows from the others
        config.erase("head_dim");
        config.erase("attention_bias");
        config["rope_scaling"] = {{"factor", 2.0}, {"type", "dynamic"}};
    }
    if (kind == "internlm2") {
        config["bias"] = false;
    }
    return config;
}

std::string configText(const Shape& shape, const CheckpointOptions& options)
{
    const bool rms = shape.tower == "InternViT-6B";
    ordered_json config{
        {"_name_or_path", options.shape == "mini" ? "kvl-mini" : "random"},
        {"architectures", ordered_json::array({"InternVLChatModel"})},
        {"model_type", "internvl_chat"},
        {"template", "internvl2_5"},
        {"force_image_size", shape.tile},
        {"downsample_ratio", 0.5},
        {"ps_version", "v2"},
        {"select_layer", -1},
        {"dynamic_image_size", true},
        {"use_thumbnail", true},
        {"min_dynamic_patch", 1},
        {"max_dynamic_patch", shape.maxTiles},
        {"tie_word_embeddings", options.tied},
        {"torch_dtype", options.dtype == "BF16" ? "bfloat16" : "float32"},
        {"llm_config", languageConfig(shape, options.tied)},
        {"vision_config",
         {{"architectures", ordered_json::array({"InternVisionModel"})},
          {"model_type", "intern_vit_6b"},
          {"image_size", shape.tile},
          {"patch_size", 14},
          {"num_channels", 3},
          {"hidden_size", shape.vision.hidden},
          {"intermediate_size", shape.vision.intermediate},
          {"num_hidden_layers", shape.vision.layers},
          {"num_attention_heads", shape.vision.heads},
          {"hidden_act", "gelu"},
          {"norm_type", rms ? "rms_norm" : "layer_norm"},
          {"layer_norm_eps", 1e-06},
          {"qkv_bias", !rms},
          {"qk_normalization", rms}}},
    };
    if (options.shape == "mini") {
        config["kvl_demonstration"] = "synthetic images only";  // shown with its answers
    }
    return config.dump(2) + "\n";
}

/// The same model as transformers' InternVLConfig says it.
std::string hfConfigText(const Shape& shape, const CheckpointOptions& options)
{
    const bool rms = shape.tower == "InternViT-6B";
    const ordered_json config{
        {"architectures", ordered_json::array({"InternVLForConditionalGeneration"})},
        {"model_type", "internvl"},
        {"downsample_ratio", 0.5},
        {"image_seq_length", 256},
        {"image_token_id", 1284},
        {"projector_hidden_act", "gelu"},
        {"vision_feature_layer", -1},
        {"vision_feature_select_strategy", "default"},
        {"torch_dtype", options.dtype == "BF16" ? "bfloat16" : "float32"},
        {"text_config", languageConfig(shape, options.tied)},
        {"vision_config",
         {{"architectures", ordered_json::array({"InternVLVisionModel"})},
          {"model_type", "internvl_vision"},
          {"attention_bias", !rms},
          {"hidden_act", "gelu"},
          {"hidden_size", shape.vision.hidden},
          {"image_size", {448, 448}},
          {"intermediate_size", shape.vision.intermediate},
          {"layer_norm_eps", 1e-06},
          {"norm_type", rms ? "rms_norm" : "layer_norm"},
          {"num_attention_heads", shape.vision.heads},
          {"num_channels", 3},
          {"num_hidden_layers", shape.vision.layers},
          {"patch_size", {14, 14}},
          {"use_absolute_position_embeddings", true},
          {"use_mask_token", false},
          {"use_mean_pooling", true},
          {"use_qk_norm", rms}}},
    };
    return config.dump(2) + "\n";
}

/// base + value * 2^-exponent: sizes at which signals neither die nor explode and logits differ.
struct Scale {
    float base;
    int exponent;
};

std::int64_t countOf(const TensorShape& tensor)
{
    std::int64_t count = 1;
    for (const std::int64_t side : tensor.shape) {
        count *= side;
    }
    return count;
}

int halfLog2(std::int64_t n)
{
    return (int(std::bit_width(std::uint64_t(n))) - 1) / 2;
}

/// Values that one value of the result is made of.
std::int64_t inputsOf(const TensorShape& tensor)
{
    return countOf(tensor) / tensor.shape.front();
}

Scale scaleOf(const TensorShape& tensor)
{
    const std::string& name = tensor.name;
    if (name.ends_with(".ls1") || name.ends_with(".ls2")) {
        return {0.5F, 2};
    }
    if (name.ends_with(".bias")) {
        return {0, 3};
    }
    if (tensor.shape.size() == 1) {
        return {1, 2};  // norms
    }
    if (name.ends_with("_embedding")) {
        return {0, 1};
    }
    if (name.ends_with("embed_tokens.weight") || name.ends_with("tok_embeddings.weight")) {
        return {0, 0};
    }
    const bool head = name.ends_with("lm_head.weight") || name.ends_with(".output.weight");
    return {0, halfLog2(inputsOf(tensor)) - (head ? 3 : 1)};
}

/// Branches and norms that pass all on, weights of variance 1 / (12 inputs), no bias.
Scale startScaleOf(const TensorShape& tensor)
{
    const std::string& name = tensor.name;
    if (name.ends_with(".bias")) {
        return {0, 40};
    }
    if (name.ends_with("class_embedding") || name.ends_with("embed_tokens.weight")) {
        return {0, 4};
    }
    if (tensor.shape.size() == 1) {
        return {1, 40};
    }
    return {0, halfLog2(inputsOf(tensor)) + 1};
}

/// Value i of [1, 1 + side x side, width]: sines and cosines of row and column in the manner of the
/// Transformer's positions (Vaswani et al. 2017, 3.5), a quarter of the channels each; the class
/// token's are 0. Places are known from the first step on.
float positionValue(const TensorShape& tensor, std::int64_t i)
{
    const std::int64_t width = tensor.shape.back(), place = i / width - 1, channel = i % width;
    const auto side = std::int64_t(std::llround(std::sqrt(double(tensor.shape[1] - 1))));
    if (place < 0) {
        return 0;
    }
    const std::int64_t quarter = width / 4, kind = channel / quarter;
    const double along = double(kind < 2 ? place / side : place % side);
    const double frequency = std::pow(100.0, -double(channel % quarter) / double(quarter));
    return 0.5F * float(kind % 2 == 0 ? std::sin(along * frequency) : std::cos(along * frequency));
}

void writeTensor(std::ofstream& file, const TensorShape& tensor, std::int64_t count,
                 const CheckpointOptions& options)
{
    const bool half = options.dtype == "BF16";
    const std::uint64_t seed = options.seed;
    const bool places = options.toTrain && tensor.name.ends_with("position_embedding");
    const Scale scale = options.toTrain ? startScaleOf(tensor) : scaleOf(tensor);
    const float factor = std::ldexp(1.0F, -scale.exponent);
    const std::uint64_t key = weightKey(tensor.name, seed);
    constexpr std::int64_t block = 1 << 20;
    std::vector<float> values;
    std::vector<std::uint16_t> halves;
    for (std::int64_t first = 0; first < count; first += block) {
        const std::size_t n = std::size_t(std::min(block, count - first));
        values.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            values[i] = places ? positionValue(tensor, first + std::int64_t(i))
                               : scale.base + weightValue(key, std::uint64_t(first) + i) * factor;
        }
        if (!half) {
            file.write(reinterpret_cast<const char*>(values.data()),
                       std::streamsize(n * sizeof(float)));
            continue;
        }
        halves.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            const auto bits = std::bit_cast<std::uint32_t>(values[i]);
            halves[i] = std::uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);  // to nearest even
        }
        file.write(reinterpret_cast<const char*>(halves.data()),
                   std::streamsize(n * sizeof(std::uint16_t)));
    }
}

void writeShard(const fs::path& path, const std::vector<TensorShape>& tensors,
                const CheckpointOptions& options)
{
    const bool half = options.dtype == "BF16";
    ordered_json header;
    header["__metadata__"] = {{"format", "pt"}};
    std::int64_t at = 0;
    for (const TensorShape& tensor : tensors) {
        // thirds of a tensor lie one behind the other, as its rows did
        const std::vector<std::string> names = inference::storedNames(tensor.name, options.layout);
        std::vector<std::int64_t> shape = tensor.shape;
        shape.front() /= std::int64_t(names.size());
        const std::int64_t bytes = countOf(tensor) * (half ? 2 : 4) / std::int64_t(names.size());
        for (const std::string& name : names) {
            header[name] = {{"dtype", half ? "BF16" : "F32"},
                            {"shape", shape},
                            {"data_offsets", {at, at + bytes}}};
            at += bytes;
        }
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    std::ofstream file(path, std::ios::binary);
    std::uint64_t length = text.size();
    for (int i = 0; i < 8; ++i, length >>= 8) {
        file.put(char(length & 0xff));
    }
    file << text;
    for (const TensorShape& tensor : tensors) {
        writeTensor(file, tensor, countOf(tensor), options);
    }
    if (!file.flush()) {
        throw Error(path.string() + " could not be written; the disk may be full.");
    }
}

std::vector<std::vector<TensorShape>> divide(const std::vector<TensorShape>& tensors,
                                             const CheckpointOptions& options)
{
    std::vector<std::vector<TensorShape>> shards;
    if (options.shardBytes == 0) {
        shards.resize(std::size_t(std::max(1, options.shards)));
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            shards[i * shards.size() / tensors.size()].push_back(tensors[i]);
        }
        return shards;
    }
    std::int64_t filled = options.shardBytes;
    for (const TensorShape& tensor : tensors) {
        const std::int64_t bytes = countOf(tensor) * (options.dtype == "BF16" ? 2 : 4);
        if (filled + bytes > options.shardBytes) {
            shards.emplace_back();
            filled = 0;
        }
        shards.back().push_back(tensor);
        filled += bytes;
    }
    return shards;
}

std::string shardName(int shard, int shards)
{
    char name[64];
    std::snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", shard + 1, shards);
    return name;
}

}  // namespace

std::string shapeNames()
{
    std::string names;
    for (const auto& [name, shape] : shapes()) {
        names += (names.empty() ? "" : ", ") + name;
    }
    return names;
}

std::uint64_t weightKey(const std::string& name, std::uint64_t seed)
{
    std::uint64_t key = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : name) {
        key = (key ^ std::uint8_t(c)) * 0x100000001b3;
    }
    return key ^ (seed * 0x9e3779b97f4a7c15);
}

float weightValue(std::uint64_t key, std::uint64_t i)
{
    std::uint64_t z = key + (i + 1) * 0x9e3779b97f4a7c15;  // SplitMix64
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    const auto value = std::int32_t(2 * (z >> 40)) - 0xffffff;
    return float(value) * 0x1p-24F;
}

void writeCheckpoint(const fs::path& folder, const CheckpointOptions& options)
{
    const auto at = shapes().find(options.shape);
    if (at == shapes().end()) {
        throw Error("The shape \"" + options.shape + "\" is not known; one of " + shapeNames() +
                    " is expected.");
    }
    Shape shape = at->second;
    shape.language.vocabulary = std::max(
        shape.language.vocabulary,
        options.tokenizer.empty() ? 0 : (tokenizerSize(options.tokenizer) + 127) / 128 * 128);
    fs::create_directories(folder);
    for (const char* name :
         {"vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json",
          "tokenizer_config.json", "tokenizer.model"}) {
        if (!options.tokenizer.empty() && fs::exists(options.tokenizer / name)) {
            fs::copy_file(options.tokenizer / name, folder / name,
                          fs::copy_options::overwrite_existing);
            fs::permissions(folder / name, fs::perms::owner_write, fs::perm_options::add);
        }
    }
    const bool half = options.dtype == "BF16";
    const std::string config = configText(shape, options);
    writeText(folder / "config.json",
              options.layout == Layout::Chat ? config : hfConfigText(shape, options));

    const std::vector<TensorShape> tensors =
        expectedTensors(parseConfig(config, folder / "config.json"));
    const std::vector<std::vector<TensorShape>> shards = divide(tensors, options);
    ordered_json index{{"metadata", {{"total_size", 0}}}, {"weight_map", ordered_json::object()}};
    std::int64_t bytes = 0;
    for (std::size_t shard = 0; shard < shards.size(); ++shard) {
        for (const TensorShape& tensor : shards[shard]) {
            for (const std::string& name : inference::storedNames(tensor.name, options.layout)) {
                index["weight_map"][name] = shardName(int(shard), int(shards.size()));
            }
            bytes += countOf(tensor) * (half ? 2 : 4);
        }
    }
    index["metadata"]["total_size"] = bytes;
    if (shards.size() == 1) {
        writeShard(folder / "model.safetensors", shards.front(), options);
        return;
    }
    writeText(folder / "model.safetensors.index.json", index.dump(2) + "\n");
    for (std::size_t i = 0; i < shards.size(); ++i) {
        writeShard(folder / shardName(int(i), int(shards.size())), shards[i], options);
    }
}

}  // namespace inference
