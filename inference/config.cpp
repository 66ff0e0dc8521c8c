#include "inference/config.h"

#include "inference/config_fields.h"
#include "inference/decoders.h"
#include "inference/error.h"
#include "inference/towers.h"

#include <fstream>
#include <iterator>

namespace inference {
namespace {

using nlohmann::json;

VisionConfig readVision(const Fields& fields)
{
    VisionConfig vision;
    // nothing said means the 6B tower: the defaults of the remote code's class
    const std::string norm = fields.text("norm_type", "rms_norm");
    const bool bias = fields.boolean("qkv_bias", false);
    const bool normalised = fields.boolean("qk_normalization", true);
    std::string known;
    for (const TowerFamily* family : towerFamilies()) {
        const auto word = [](bool value) { return value ? "true" : "false"; };
        known += (known.empty() ? "" : " or ") + std::string(family->normType) + ", " +
            word(family->qkvBias) + ", " + word(family->qkNormalization) + " (" +
            std::string(family->name) + ")";
        if (norm == family->normType && bias == family->qkvBias &&
            normalised == family->qkNormalization) {
            vision.tower = family->name;
        }
    }
    const std::string other = "other vision towers are not computed by this version";
    if (vision.tower.empty()) {
        const auto said = [&](const char* key, const std::string& value) {
            return std::string(key) + " " + value + (fields.has(key) ? "" : " (by default)");
        };
        fields.fail("norm_type",
                    "norm_type, qkv_bias, qk_normalization of " + known + ", with " +
                        said("norm_type", norm) + ", " + said("qkv_bias", bias ? "true" : "false") +
                        ", " + said("qk_normalization", normalised ? "true" : "false") +
                        " as found,",
                    other);
    }
    if (fields.text("hidden_act", "gelu") != "gelu") {
        fields.fail("hidden_act", "\"gelu\"", other);
    }
    if (fields.integer("num_channels", 3, 1, 1024) != 3) {
        fields.fail("num_channels", "3", other);
    }
    // the class's own defaults, those of the 6B tower
    vision.patchSize = fields.integer("patch_size", 14, 1, 1024);
    vision.imageSize = fields.integer("image_size", 224, 1, 16384);
    vision.hiddenSize = fields.integer("hidden_size", 3200, 1, 65536);
    vision.intermediateSize = fields.integer("intermediate_size", 12800, 1, 1 << 20);
    vision.layers = fields.integer("num_hidden_layers", 48, 1, 1024);
    vision.heads = fields.integer("num_attention_heads", 25, 1, 1024);
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

/// Rotary positions, plain or "dynamic"; `rope_parameters` is the newer spelling.
void readRope(const Fields& fields, LanguageConfig& language)
{
    language.ropeTheta = fields.number("rope_theta", 10000, 1, 1e12);
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
        if (!fields.has(key)) {
            continue;
        }
        const Fields rope = fields.object(key);
        const char* const typeKey = rope.has("rope_type") ? "rope_type" : "type";
        const std::string type = rope.text(typeKey, "default");
        if (type != "default" && type != "dynamic") {
            rope.fail(typeKey, "\"default\" or \"dynamic\"",
                      "this scaling of rotary positions is not computed by this version");
        }
        if (type == "dynamic") {
            language.ropeFactor = rope.number("factor", 1, 0.999, 1000);
        }
        language.ropeTheta = rope.number("rope_theta", language.ropeTheta, 1, 1e12);
    }
}

/// Why a language model is not computed, by its class or kind; nullptr where nothing is known.
const char* whyNot(const std::string& name)
{
    struct Reason {
        std::vector<std::string_view> parts;  // of the class's name or of model_type
        const char* why;
    };
    static const Reason reasons[] = {
        {{"Moe", "moe"},
         "mixtures of experts (InternVL3.5-30B-A3B and 241B-A28B) are not computed by this "
         "version"},
        {{"GptOss", "gpt_oss"},
         "GPT-OSS (InternVL3.5-20B-A4B) is a mixture of experts, which this version does not "
         "compute"},
        {{"Phi3", "phi3"}, "Phi-3 (InternVL2-4B) is not computed by this version"},
        {{"Llama", "llama"},
         "Llama and Yi (InternVL2-40B and 76B) are not computed by this version"},
        {{"InternLM3", "internlm3"}, "InternLM3 (InternVL3-9B) is not computed by this version"},
    };
    for (const Reason& reason : reasons) {
        for (const std::string_view part : reason.parts) {
            if (name.find(part) != std::string::npos) {
                return reason.why;
            }
        }
    }
    return nullptr;
}

std::string namesOfFamilies()
{
    std::string names;
    for (const DecoderFamily* family : decoderFamilies()) {
        names +=
            (names.empty() ? "" : " or ") + ("[\"" + std::string(family->architecture) + "\"]");
    }
    return names;
}

const DecoderFamily& readFamily(const Fields& fields)
{
    const std::string type = fields.text("model_type", "");
    std::string name = fields.architecture("");
    for (const DecoderFamily* family : decoderFamilies()) {
        if (name == family->architecture || (name.empty() && type == family->modelType)) {
            return *family;
        }
    }
    name += name.empty() ? type : "";
    const char* const why = whyNot(name);
    fields.fail(fields.has("architectures") ? "architectures" : "model_type", namesOfFamilies(),
                why ? why : "this version computes the language models of InternVL2.5, 3 and 3.5");
}

LanguageConfig readLanguage(const Fields& fields)
{
    const DecoderFamily& family = readFamily(fields);
    LanguageConfig language;
    language.architecture = family.architecture;
    if (fields.text("hidden_act", "silu") != "silu") {
        fields.fail("hidden_act", "\"silu\"", "other activations are not computed by this version");
    }
    language.hiddenSize = fields.integer("hidden_size", {}, 1, 65536);
    language.intermediateSize = fields.integer("intermediate_size", {}, 1, 1 << 20);
    language.layers = fields.integer("num_hidden_layers", {}, 1, 1024);
    language.heads = fields.integer("num_attention_heads", {}, 1, 1024);
    language.kvHeads = fields.integer("num_key_value_heads", language.heads, 1, 1024);
    language.vocabulary = fields.integer("vocab_size", {}, 1, 1 << 24);
    language.maxPositions = fields.integer("max_position_embeddings", 32768, 1, 1 << 24);
    language.rmsNormEps = fields.number("rms_norm_eps", 1e-6, 0, 1);
    readRope(fields, language);
    if (language.heads % language.kvHeads != 0) {
        fields.fail("num_key_value_heads",
                    "a divisor of num_attention_heads " + std::to_string(language.heads));
    }
    family.readConfig(fields, language);
    if (language.headDim % 2 != 0) {
        fields.fail("head_dim", "an even number");
    }
    return language;
}

/// The config of a -HF repository (transformers' InternVLConfig) with the words of the InternVLChat
/// layout. What it leaves to the processor, the tiling, is that of the published processors.
/// Whether the head is tied is said in text_config alone: transformers does not look at the root,
/// which says true by default.
json fromHfNative(const json& root)
{
    json chat{{"architectures", root.at("architectures")},
              {"template", "internvl2_5"},
              {"ps_version", "v2"},
              {"use_thumbnail", true},
              {"min_dynamic_patch", 1},
              {"max_dynamic_patch", 12}};
    const auto move = [](const json& from, const char* old, json& to, const char* key) {
        if (const auto at = from.find(old); at != from.end() && !at->is_null()) {
            // sizes are given as [height, width]
            const bool square = at->is_array() && at->size() == 2 && (*at)[0] == (*at)[1];
            to[key] = square ? (*at)[0] : *at;
        }
    };
    move(root, "_name_or_path", chat, "_name_or_path");
    move(root, "kvl_demonstration", chat, "kvl_demonstration");
    move(root, "downsample_ratio", chat, "downsample_ratio");
    move(root, "vision_feature_layer", chat, "select_layer");
    move(root, "text_config", chat, "llm_config");
    const json vision = root.value("vision_config", json());
    if (vision.is_object()) {
        // the defaults of transformers' InternVLVisionConfig
        json& mapped = chat["vision_config"] = {
            {"norm_type", "layer_norm"}, {"qkv_bias", false},       {"qk_normalization", false},
            {"image_size", 448},         {"patch_size", 14},        {"hidden_size", 1024},
            {"intermediate_size", 4096}, {"num_hidden_layers", 24}, {"num_attention_heads", 16}};
        for (const char* key : {"norm_type", "image_size", "patch_size", "hidden_size",
                                "intermediate_size", "num_hidden_layers", "num_attention_heads",
                                "hidden_act", "num_channels", "layer_norm_eps"}) {
            move(vision, key, mapped, key);
        }
        move(vision, "attention_bias", mapped, "qkv_bias");
        move(vision, "use_qk_norm", mapped, "qk_normalization");
    }
    return chat;
}

/// The accepted name in `architectures`.
std::string readArchitecture(const Fields& fields)
{
    const json* architectures = fields.find("architectures");
    if (!architectures || !architectures->is_array()) {
        fields.fail("architectures", "a list with \"InternVLChatModel\"",
                    "the folder holds something else than a vision-language checkpoint");
    }
    for (const json& architecture : *architectures) {
        for (const char* known : {"InternVLChatModel", "InternVLForConditionalGeneration"}) {
            if (architecture == known) {
                return known;
            }
        }
    }
    fields.fail("architectures", "\"InternVLChatModel\" in it",
                "this version computes InternVL checkpoints only");
}

/// Flash variants bring a router that gives tiles 64 or 256 tokens.
void refuseFlash(const json& root, const Fields& fields)
{
    for (const auto& [key, value] : root.items()) {
        if (key.starts_with("flash_") && fields.has(key.c_str())) {
            fields.fail(key, "nothing",
                        "this is a -Flash variant of InternVL3.5, whose router of tiles is not "
                        "computed by this version; take the repository without -Flash in its name");
        }
    }
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
    ModelConfig config;
    config.architecture = readArchitecture(Fields(root, file.string()));
    config.hfNative = config.architecture != "InternVLChatModel";
    if (config.hfNative) {
        root = fromHfNative(root);
    }
    const Fields fields(root, file.string());
    refuseFlash(root, fields);
    config.name = fields.text("_name_or_path", "");
    config.vision = readVision(fields.object("vision_config"));
    // in the layout of the -HF repositories the object is called text_config
    const json* llm = fields.find("llm_config");
    const std::string llmName = config.hfNative ? "text_config" : "llm_config";
    if (!llm || !llm->is_object()) {
        fields.fail(llmName, "an object",
                    "the file is not the config.json of an InternVL checkpoint");
    }
    const Fields language(*llm, file.string(), llmName + ".");
    config.language = readLanguage(language);
    config.language.tiedHead =
        language.boolean("tie_word_embeddings", fields.boolean("tie_word_embeddings", false));

    config.chatTemplate = fields.text("template", "");
    if (config.chatTemplate != "internvl2_5") {
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
    config.demonstration = !fields.text("kvl_demonstration", "").empty();
    config.minTiles = fields.integer("min_dynamic_patch", 1, 1, 1000);
    config.maxTiles = fields.integer("max_dynamic_patch", 6, config.minTiles, 1000);
    for (const auto& [key, meaning] : {std::pair("use_thumbnail", "no thumbnail"),
                                       {"max_dynamic_patch", "at most 6 tiles a picture"}}) {
        if (!fields.has(key)) {
            config.warnings.push_back(file.string() + ": " + key + " is missing, which means " +
                                      meaning + "; every published checkpoint says otherwise.");
        }
    }
    const auto unusual = [&](const std::string& key, const std::string& found,
                             const char* published) {
        config.warnings.push_back(file.string() + ": " + key + " is " + found +
                                  ", which is computed; every published checkpoint has " +
                                  published + ".");
    };
    if (config.tileSize != 448) {
        unusual("force_image_size", std::to_string(config.tileSize), "448");
    }
    if (config.vision.patchSize != 14) {
        unusual("vision_config.patch_size", std::to_string(config.vision.patchSize), "14");
    }
    if (config.language.ropeFactor != 1 && !decoderFamily(config.language).dynamicRope) {
        unusual(llmName + ".rope_scaling", "dynamic", "none with this language model");
    }
    return config;
}

ModelConfig readConfig(const std::filesystem::path& checkpoint)
{
    const std::filesystem::path file = checkpoint / "config.json";
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        throw Error(file.string() +
                    " is missing or cannot be read; the folder of a checkpoint is expected.");
    }
    return parseConfig(std::string(std::istreambuf_iterator<char>(stream), {}), file);
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
    const auto addLayers = [&](const std::string& prefix, int layers,
                               const std::vector<TensorShape>& layer) {
        for (int i = 0; i < layers; ++i) {
            for (const TensorShape& one : layer) {
                add(prefix + std::to_string(i) + "." + one.name, one.shape);
            }
        }
    };
    addLayers("vision_model.encoder.layers.", v.layers, towerFamily(v).layerTensors(v));

    const LanguageConfig& l = config.language;
    const std::int64_t joined = std::int64_t(4) * v.hiddenSize;  // 2 x 2 patches
    addWithBias("mlp1.0", {joined});
    addWithBias("mlp1.1", {l.hiddenSize, joined});
    addWithBias("mlp1.3", {l.hiddenSize, l.hiddenSize});

    const DecoderFamily& family = decoderFamily(l);
    add(std::string(family.embeddings), {l.vocabulary, l.hiddenSize});
    addLayers(std::string(family.layers), l.layers, family.layerTensors(l));
    add(std::string(family.norm), {l.hiddenSize});
    if (!l.tiedHead) {
        add(std::string(family.head) + ".weight", {l.vocabulary, l.hiddenSize});
    }
    return all;
}

}  // namespace inference
