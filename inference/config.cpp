#include "inference/config.h"

#include "inference/error.h"

#include <nlohmann/json.hpp>

#include <optional>

namespace inference {
namespace {

using nlohmann::json;

/// An object of config.json whose complaints name the file and the field.
class Fields {
public:
    Fields(const json& object, std::string file, std::string prefix = {})
        : m_object(object)
        , m_file(std::move(file))
        , m_prefix(std::move(prefix))
    {
    }

    const json* find(const char* key) const
    {
        const auto at = m_object.find(key);
        return at == m_object.end() || at->is_null() ? nullptr : &*at;
    }

    Fields object(const char* key) const
    {
        const json* value = find(key);
        if (!value || !value->is_object()) {
            fail(key, "an object", "the file is not the config.json of an InternVLChat checkpoint");
        }
        return {*value, m_file, m_prefix + key + "."};
    }

    int integer(const char* key, std::optional<int> missing, int least, int most) const
    {
        const json* value = find(key);
        if (!value && missing) {
            return *missing;
        }
        if (!value || !value->is_number_integer() || *value < least || *value > most) {
            fail(key,
                 "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        }
        return value->get<int>();
    }

    double number(const char* key, double missing, double above, double below) const
    {
        const json* value = find(key);
        if (!value) {
            return missing;
        }
        if (!value->is_number() || !(value->get<double>() > above) ||
            !(value->get<double>() < below)) {
            fail(key, "a number above " + json(above).dump() + " and below " + json(below).dump());
        }
        return value->get<double>();
    }

    bool boolean(const char* key, bool missing) const
    {
        const json* value = find(key);
        if (value && !value->is_boolean()) {
            fail(key, "true or false");
        }
        return value ? value->get<bool>() : missing;
    }

    std::string text(const char* key, std::string missing) const
    {
        const json* value = find(key);
        if (value && !value->is_string()) {
            fail(key, "a string");
        }
        return value ? value->get<std::string>() : std::move(missing);
    }

    /// The first name of an `architectures` list.
    std::string architecture(std::string missing) const
    {
        const json* value = find("architectures");
        if (!value) {
            return missing;
        }
        if (!value->is_array() || value->empty() || !value->front().is_string()) {
            fail("architectures", "a list with a class name");
        }
        return value->front().get<std::string>();
    }

    [[noreturn]] void
    fail(const std::string& key, const std::string& expected,
         const std::string& cause =
             "the checkpoint was made for another program or edited by hand") const
    {
        const json* value = find(key.c_str());
        std::string found =
            value ? value->dump(-1, ' ', false, json::error_handler_t::replace) : "nothing";
        if (found.size() > 80) {
            found = found.substr(0, 77) + "...";
        }
        throw Error(m_file + ": " + m_prefix + key + " is " + found + " where " + expected +
                    " is expected; " + cause + ".");
    }

private:
    const json& m_object;
    std::string m_file;
    std::string m_prefix;
};

VisionConfig readVision(const Fields& fields)
{
    const std::string other = "this version computes the InternViT-300M layout only";
    if (fields.text("norm_type", "rms_norm") != "layer_norm") {
        fields.fail("norm_type", "\"layer_norm\" (nothing means \"rms_norm\", InternViT-6B)",
                    other);
    }
    if (!fields.boolean("qkv_bias", false)) {
        fields.fail("qkv_bias", "true (nothing means false)", other);
    }
    if (fields.boolean("qk_normalization", true)) {
        fields.fail("qk_normalization", "false (nothing means true)", other);
    }
    if (fields.text("hidden_act", "gelu") != "gelu") {
        fields.fail("hidden_act", "\"gelu\"", other);
    }
    if (fields.integer("num_channels", 3, 1, 1024) != 3) {
        fields.fail("num_channels", "3", other);
    }
    VisionConfig vision;
    vision.patchSize = fields.integer("patch_size", 14, 1, 1024);
    vision.imageSize = fields.integer("image_size", 224, 1, 16384);
    vision.hiddenSize = fields.integer("hidden_size", {}, 1, 65536);
    vision.intermediateSize = fields.integer("intermediate_size", {}, 1, 1 << 20);
    vision.layers = fields.integer("num_hidden_layers", {}, 1, 1024);
    vision.heads = fields.integer("num_attention_heads", {}, 1, 1024);
    vision.layerNormEps = fields.number("layer_norm_eps", 1e-6, 0, 1);
    if (vision.hiddenSize % vision.heads != 0) {
        fields.fail("num_attention_heads",
                    "a divisor of hidden_size " + std::to_string(vision.hiddenSize));
    }
    if (vision.imageSize % vision.patchSize != 0) {
        fields.fail("image_size", "a multiple of patch_size " + std::to_string(vision.patchSize));
    }
    return vision;
}

/// Rotary positions without scaling; `rope_parameters` is the newer spelling.
double readRopeTheta(const Fields& fields)
{
    const std::string cause = "scaled rotary positions are not computed by this version";
    const auto checkType = [&](const char* key) {
        const Fields rope = fields.object(key);
        if (rope.text("rope_type", rope.text("type", "default")) != "default") {
            rope.fail(rope.find("rope_type") ? "rope_type" : "type", "\"default\"", cause);
        }
        return rope;
    };
    if (fields.find("rope_scaling")) {
        checkType("rope_scaling");
    }
    double theta = fields.number("rope_theta", 10000, 1, 1e12);
    if (fields.find("rope_parameters")) {
        theta = checkType("rope_parameters").number("rope_theta", theta, 1, 1e12);
    }
    return theta;
}

LanguageConfig readLanguage(const Fields& fields)
{
    LanguageConfig language;
    const std::string other =
        "this version computes Qwen3 (InternVL3.5 of 1B to 38B without -Flash) only";
    const bool isQwen3 = fields.text("model_type", "") == "qwen3";
    language.architecture = fields.architecture(isQwen3 ? "Qwen3ForCausalLM" : "");
    if (language.architecture != "Qwen3ForCausalLM") {
        fields.fail("architectures", "[\"Qwen3ForCausalLM\"]", other);
    }
    if (fields.text("hidden_act", "silu") != "silu") {
        fields.fail("hidden_act", "\"silu\"", other);
    }
    if (fields.boolean("attention_bias", false)) {
        fields.fail("attention_bias", "false", other);
    }
    if (fields.boolean("use_sliding_window", false)) {
        fields.fail("use_sliding_window", "false", other);
    }
    if (const json* types = fields.find("layer_types")) {
        for (const json& type : *types) {
            if (type != "full_attention") {
                fields.fail("layer_types", "\"full_attention\" in every place", other);
            }
        }
    }
    language.hiddenSize = fields.integer("hidden_size", {}, 1, 65536);
    language.intermediateSize = fields.integer("intermediate_size", {}, 1, 1 << 20);
    language.layers = fields.integer("num_hidden_layers", {}, 1, 1024);
    language.heads = fields.integer("num_attention_heads", {}, 1, 1024);
    language.kvHeads = fields.integer("num_key_value_heads", language.heads, 1, 1024);
    language.headDim = fields.integer("head_dim", 128, 2, 4096);
    language.vocabulary = fields.integer("vocab_size", {}, 1, 1 << 24);
    language.maxPositions = fields.integer("max_position_embeddings", 32768, 1, 1 << 24);
    language.rmsNormEps = fields.number("rms_norm_eps", 1e-6, 0, 1);
    language.ropeTheta = readRopeTheta(fields);
    if (language.heads % language.kvHeads != 0) {
        fields.fail("num_key_value_heads",
                    "a divisor of num_attention_heads " + std::to_string(language.heads));
    }
    if (language.headDim % 2 != 0) {
        fields.fail("head_dim", "an even number");
    }
    return language;
}

void refuseOtherArchitecture(const Fields& fields)
{
    const json* architectures = fields.find("architectures");
    if (!architectures || !architectures->is_array()) {
        fields.fail("architectures", "a list with \"InternVLChatModel\"",
                    "the folder holds something else than a vision-language checkpoint");
    }
    for (const json& architecture : *architectures) {
        if (architecture == "InternVLChatModel") {
            return;
        }
        if (architecture == "InternVLForConditionalGeneration") {
            fields.fail("architectures", "\"InternVLChatModel\" in it",
                        "this is the layout of the -HF repositories; take the repository without "
                        "-HF in its name");
        }
    }
    fields.fail("architectures", "\"InternVLChatModel\" in it",
                "this version computes InternVL checkpoints in their original layout only");
}

}  // namespace

TilingOptions ModelConfig::tiling() const
{
    TilingOptions options;
    options.tileSize = tileSize;
    options.minTiles = minTiles;
    options.maxTiles = maxTiles;
    options.thumbnail = thumbnail;
    options.tokensPerTile = tokensPerTile();
    return options;
}

ModelConfig parseConfig(std::string_view text, const std::filesystem::path& file)
{
    json root;
    try {
        root = json::parse(text);
    } catch (const json::exception& error) {
        throw Error(file.string() + " is not valid JSON (" + error.what() +
                    "); the file is damaged or was cut short while it was copied.");
    }
    if (!root.is_object()) {
        throw Error(file.string() +
                    " holds no JSON object; it is not the config.json of a checkpoint.");
    }
    const Fields fields(root, file.string());
    refuseOtherArchitecture(fields);

    ModelConfig config;
    config.architecture = "InternVLChatModel";
    config.name = fields.text("_name_or_path", "");
    config.vision = readVision(fields.object("vision_config"));
    config.language = readLanguage(fields.object("llm_config"));
    config.language.tiedHead =
        fields.object("llm_config")
            .boolean("tie_word_embeddings", fields.boolean("tie_word_embeddings", false));

    if (fields.text("template", "") != "internvl2_5") {
        fields.fail("template", "\"internvl2_5\"",
                    "this version knows the conversation form of InternVL 2.5, 3 and 3.5 only");
    }
    if (fields.text("ps_version", "v1") != "v2") {
        fields.fail("ps_version", "\"v2\" (nothing means \"v1\")",
                    "the pixel shuffle of the first InternVL is not computed by this version");
    }
    if (fields.number("downsample_ratio", 0.5, 0, 2) != 0.5) {
        fields.fail("downsample_ratio", "0.5", "other ratios are not computed by this version");
    }
    if (fields.integer("select_layer", -1, -1024, 1024) != -1) {
        fields.fail("select_layer", "-1",
                    "features of an inner layer are not computed by this version");
    }
    config.tileSize = fields.integer("force_image_size", config.vision.imageSize, 1, 16384);
    if (config.tileSize % (2 * config.vision.patchSize) != 0) {
        fields.fail("force_image_size",
                    "a multiple of twice the patch size, " +
                        std::to_string(2 * config.vision.patchSize) + ",");
    }
    config.thumbnail = fields.boolean("use_thumbnail", false);
    config.minTiles = fields.integer("min_dynamic_patch", 1, 1, 1000);
    config.maxTiles = fields.integer("max_dynamic_patch", 6, config.minTiles, 1000);
    return config;
}

std::vector<TensorShape> expectedTensors(const ModelConfig& config)
{
    std::vector<TensorShape> all;
    const auto add = [&](std::string name, std::vector<std::int64_t> shape) {
        all.push_back({std::move(name), std::move(shape)});
    };
    const auto addWithBias = [&](const std::string& name, std::vector<std::int64_t> shape) {
        const std::int64_t width = shape.front();
        add(name + ".weight", std::move(shape));
        add(name + ".bias", {width});
    };

    const VisionConfig& v = config.vision;
    const std::int64_t side = v.imageSize / v.patchSize;
    const std::string embeddings = "vision_model.embeddings.";
    add(embeddings + "class_embedding", {1, 1, v.hiddenSize});
    addWithBias(embeddings + "patch_embedding", {v.hiddenSize, 3, v.patchSize, v.patchSize});
    add(embeddings + "position_embedding", {1, side * side + 1, v.hiddenSize});
    for (int i = 0; i < v.layers; ++i) {
        const std::string layer = "vision_model.encoder.layers." + std::to_string(i) + ".";
        addWithBias(layer + "attn.qkv", {3 * v.hiddenSize, v.hiddenSize});
        addWithBias(layer + "attn.proj", {v.hiddenSize, v.hiddenSize});
        addWithBias(layer + "mlp.fc1", {v.intermediateSize, v.hiddenSize});
        addWithBias(layer + "mlp.fc2", {v.hiddenSize, v.intermediateSize});
        addWithBias(layer + "norm1", {v.hiddenSize});
        addWithBias(layer + "norm2", {v.hiddenSize});
        add(layer + "ls1", {v.hiddenSize});
        add(layer + "ls2", {v.hiddenSize});
    }

    const LanguageConfig& l = config.language;
    addWithBias("mlp1.0", {4 * v.hiddenSize});
    addWithBias("mlp1.1", {l.hiddenSize, 4 * v.hiddenSize});
    addWithBias("mlp1.3", {l.hiddenSize, l.hiddenSize});

    const std::string model = "language_model.model.";
    const std::int64_t queries = std::int64_t(l.heads) * l.headDim;
    const std::int64_t keys = std::int64_t(l.kvHeads) * l.headDim;
    add(model + "embed_tokens.weight", {l.vocabulary, l.hiddenSize});
    for (int i = 0; i < l.layers; ++i) {
        const std::string layer = model + "layers." + std::to_string(i) + ".";
        add(layer + "input_layernorm.weight", {l.hiddenSize});
        add(layer + "self_attn.q_proj.weight", {queries, l.hiddenSize});
        add(layer + "self_attn.k_proj.weight", {keys, l.hiddenSize});
        add(layer + "self_attn.v_proj.weight", {keys, l.hiddenSize});
        add(layer + "self_attn.o_proj.weight", {l.hiddenSize, queries});
        add(layer + "self_attn.q_norm.weight", {l.headDim});
        add(layer + "self_attn.k_norm.weight", {l.headDim});
        add(layer + "post_attention_layernorm.weight", {l.hiddenSize});
        add(layer + "mlp.gate_proj.weight", {l.intermediateSize, l.hiddenSize});
        add(layer + "mlp.up_proj.weight", {l.intermediateSize, l.hiddenSize});
        add(layer + "mlp.down_proj.weight", {l.hiddenSize, l.intermediateSize});
    }
    add(model + "norm.weight", {l.hiddenSize});
    if (!l.tiedHead) {
        add("language_model.lm_head.weight", {l.vocabulary, l.hiddenSize});
    }
    return all;
}

}  // namespace inference
