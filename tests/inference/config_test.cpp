#include "inference/config.h"
#include "inference/error.h"
#include "support/published_config.h"
#include "support/test.h"

#include <nlohmann/json.hpp>

using namespace inference;
using nlohmann::json;
using test::published;

namespace {

ModelConfig parse(const json& config)
{
    return parseConfig(config.dump(), "folder/config.json");
}

/// The file with one value changed; a null value takes the key out.
json with(const char* pointer, const json& value)
{
    json config = published();
    const json::json_pointer at(pointer);
    if (value.is_null()) {
        config[at.parent_pointer()].erase(at.back());
    } else {
        config[at] = value;
    }
    return config;
}

}  // namespace

TEST(thePublishedConfigIsRead)
{
    const ModelConfig config = parse(published());
    CHECK_EQUAL(config.tileSize, 448);
    CHECK_EQUAL(config.tokensPerTile(), 256);
    CHECK_EQUAL(config.maxTiles, 12);
    CHECK(config.thumbnail);
    CHECK_EQUAL(config.language.headDim, 128);
    CHECK_EQUAL(config.language.maxPositions, 40960);
    CHECK_EQUAL(config.language.ropeTheta, 1e6);
    CHECK_EQUAL(config.vision.layerNormEps, 1e-6);
    CHECK(!config.language.tiedHead);
}

TEST(thePublishedModelHas789TensorsAnd15119523840Parameters)
{
    std::int64_t parameters = 0;
    const std::vector<TensorShape> tensors = expectedTensors(parse(published()));
    for (const TensorShape& tensor : tensors) {
        std::int64_t count = 1;
        for (const std::int64_t side : tensor.shape) {
            count *= side;
        }
        parameters += count;
    }
    CHECK_EQUAL(tensors.size(), std::size_t(789));  // model specification 1.1, 4.1
    CHECK_EQUAL(parameters, std::int64_t(15119523840));
}

TEST(aDemonstrationModelSaysSoItself)
{
    CHECK(!parse(published()).demonstration);
    CHECK(parse(with("/kvl_demonstration", "synthetic images only")).demonstration);
    CHECK(!parse(with("/kvl_demonstration", "")).demonstration);
    CHECK_THROWS(Error, parse(with("/kvl_demonstration", 1)), "kvl_demonstration");
}

TEST(missingKeysGetTheDefaultsOfTheModelsClasses)
{
    CHECK_EQUAL(parse(with("/max_dynamic_patch", nullptr)).maxTiles, 6);
    CHECK_EQUAL(parse(with("/use_thumbnail", nullptr)).thumbnail, false);
    CHECK(parse(published()).warnings.empty());
    CHECK_EQUAL(
        parse(with("/use_thumbnail", nullptr)).warnings,
        (std::vector<std::string>{"folder/config.json: use_thumbnail is missing, which means "
                                  "no thumbnail; every published checkpoint says otherwise."}));
    CHECK_EQUAL(parse(with("/max_dynamic_patch", nullptr)).warnings.size(), std::size_t(1));
    CHECK_EQUAL(parse(with("/select_layer", nullptr)).tileSize, 448);
    CHECK_EQUAL(parse(with("/force_image_size", nullptr)).tileSize, 448);
    CHECK_EQUAL(parse(with("/llm_config/architectures", nullptr)).language.architecture,
                "Qwen3ForCausalLM");
    CHECK_THROWS(Error, parse(with("/ps_version", nullptr)), "ps_version is nothing where \"v2\"");
    CHECK_THROWS(Error, parse(with("/vision_config/norm_type", nullptr)),
                 "vision_config.norm_type is nothing");
    CHECK_THROWS(Error, parse(with("/vision_config/qk_normalization", nullptr)),
                 "qk_normalization true (by default)");
    CHECK_THROWS(Error, parse(with("/vision_config/qkv_bias", nullptr)),
                 "qkv_bias false (by default)");
}

TEST(whatNoPublishedCheckpointHasIsComputedWithAWarning)
{
    const auto warnings = [](const char* pointer, const json& value) {
        return parse(with(pointer, value)).warnings;
    };
    CHECK_EQUAL(warnings("/force_image_size", 224),
                (std::vector<std::string>{
                    "folder/config.json: force_image_size is 224, which is computed; every "
                    "published checkpoint has 448."}));
    json patches = with("/vision_config/patch_size", 16);
    CHECK_EQUAL(parse(patches).warnings,
                (std::vector<std::string>{
                    "folder/config.json: vision_config.patch_size is 16, which is computed; every "
                    "published checkpoint has 14."}));
    const json dynamic{{"type", "dynamic"}, {"factor", 2.0}};
    CHECK_EQUAL(warnings("/llm_config/rope_scaling", dynamic),
                (std::vector<std::string>{
                    "folder/config.json: llm_config.rope_scaling is dynamic, which is computed; "
                    "every published checkpoint has none with this language model."}));
    json qwen2 = with("/llm_config/rope_scaling", dynamic);  // InternVL3's own
    qwen2["llm_config"]["architectures"] = {"Qwen2ForCausalLM"};
    qwen2["llm_config"].erase("attention_bias");
    CHECK(parse(qwen2).warnings.empty());
}

TEST(newerSpellingsAreAccepted)
{
    json config = with("/llm_config/rope_theta", nullptr);
    config["llm_config"]["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 500000}};
    config["llm_config"]["layer_types"] = {"full_attention", "full_attention"};
    config["dtype"] = "bfloat16";
    config.erase("torch_dtype");
    CHECK_EQUAL(parse(config).language.ropeTheta, 5e5);
    CHECK_EQUAL(
        parse(with("/llm_config/rope_scaling", {{"rope_type", "default"}})).language.ropeTheta,
        1e6);
}

TEST(familiesAndTowersAreKnownByTheirFields)
{
    CHECK_EQUAL(parse(published()).vision.tower, "InternViT-300M");
    json config = published();
    config["vision_config"] = {{"num_hidden_layers", 45}, {"image_size", 448}};
    const VisionConfig tower = parse(config).vision;
    CHECK_EQUAL(tower.tower, "InternViT-6B");  // what nothing said means
    CHECK_EQUAL(tower.hiddenSize, 3200);
    CHECK_EQUAL(tower.heads, 25);

    config = published();
    config["llm_config"]["architectures"] = {"Qwen2ForCausalLM"};
    config["llm_config"].erase("head_dim");
    config["llm_config"].erase("attention_bias");
    config["llm_config"]["rope_scaling"] = {{"type", "dynamic"}, {"factor", 2.0}};
    LanguageConfig language = parse(config).language;
    CHECK_EQUAL(language.headDim, 128);
    CHECK_EQUAL(language.ropeFactor, 2.0);
    CHECK_EQUAL(language.contextLength(), 2 * 40960);

    config["llm_config"] = published()["llm_config"];
    config["llm_config"]["architectures"] = {"InternLM2ForCausalLM"};
    CHECK_THROWS(Error, parse(config), "llm_config.bias is nothing where false");
    config["llm_config"]["bias"] = false;
    language = parse(config).language;
    CHECK_EQUAL(language.architecture, "InternLM2ForCausalLM");
    CHECK_EQUAL(language.headDim, 128);
}

TEST(theConfigOfAnHfRepositoryMeansTheSame)
{
    const json chat = published();
    json hf{{"architectures", {"InternVLForConditionalGeneration"}},
            {"model_type", "internvl"},
            {"downsample_ratio", 0.5},
            {"vision_feature_layer", -1},
            {"text_config", chat["llm_config"]},
            {"vision_config",
             {{"attention_bias", true},
              {"use_qk_norm", false},
              {"norm_type", "layer_norm"},
              {"image_size", {448, 448}},
              {"patch_size", {14, 14}},
              {"hidden_size", 1024},
              {"intermediate_size", 4096},
              {"num_hidden_layers", 24},
              {"num_attention_heads", 16},
              {"hidden_act", "gelu"},
              {"layer_norm_eps", 1e-6}}}};
    const ModelConfig config = parse(hf);
    CHECK(config.hfNative);
    CHECK_EQUAL(config.tileSize, 448);
    CHECK_EQUAL(config.maxTiles, 12);
    CHECK(config.thumbnail);
    CHECK(config.warnings.empty());
    CHECK_EQUAL(config.vision.tower, "InternViT-300M");
    // transformers looks at text_config alone; the root says true where nobody said anything
    hf["tie_word_embeddings"] = true;
    CHECK(!parse(hf).language.tiedHead);
    hf["text_config"]["tie_word_embeddings"] = true;
    CHECK(parse(hf).language.tiedHead);
    CHECK_EQUAL(expectedTensors(config).size(), expectedTensors(parse(chat)).size());
    hf["text_config"]["hidden_size"] = "much";
    CHECK_THROWS(Error, parse(hf), "text_config.hidden_size is \"much\"");
}

TEST(whatIsNotComputedIsRefusedByName)
{
    const auto refused = [](const char* pointer, const json& value, const std::string& sentence) {
        CHECK_THROWS(Error, parse(with(pointer, value)), sentence);
    };
    refused("/architectures/0", "LlavaForConditionalGeneration", "LlavaForConditionalGeneration");
    refused("/architectures", nullptr, "architectures is nothing");
    refused("/llm_config/architectures/0", "Qwen3MoeForCausalLM", "mixtures of experts");
    refused("/llm_config/architectures/0", "GptOssForCausalLM", "GPT-OSS (InternVL3.5-20B-A4B)");
    refused("/llm_config/architectures/0", "Phi3ForCausalLM", "Phi-3 (InternVL2-4B)");
    refused("/llm_config/architectures/0", "LlamaForCausalLM", "Llama and Yi");
    refused("/llm_config/architectures/0", "InternLM3ForCausalLM", "InternLM3 (InternVL3-9B)");
    refused("/llm_config/architectures/0", "MistralForCausalLM",
            "llm_config.architectures is [\"MistralForCausalLM\"] where [\"Qwen3ForCausalLM\"] or "
            "[\"Qwen2ForCausalLM\"] or [\"InternLM2ForCausalLM\"] is expected");
    refused("/llm_config/rope_scaling", {{"type", "yarn"}, {"factor", 2.0}},
            "rope_scaling.type is \"yarn\"");
    refused("/flash_relative_threshold", 0.85, "-Flash variant of InternVL3.5");
    refused("/llm_config/use_sliding_window", true, "use_sliding_window is true");
    refused("/llm_config/attention_bias", true, "attention_bias is true");
    refused("/llm_config/layer_types", {"sliding_attention"}, "layer_types");
    refused("/vision_config/norm_type", "rms_norm",
            "rms_norm, false, true (InternViT-6B), with norm_type rms_norm, qkv_bias true, "
            "qk_normalization false as found");
    refused("/vision_config/qk_normalization", true, "qk_normalization true as found");
    refused("/vision_config/norm_type", nullptr, "norm_type rms_norm (by default)");
    refused("/template", "internlm2-chat", "template is \"internlm2-chat\"");
    refused("/ps_version", "v1", "ps_version is \"v1\"");
    refused("/select_layer", -2, "select_layer is -2");
    refused("/downsample_ratio", 0.25, "downsample_ratio is 0.25");
    refused("/force_image_size", 450, "multiple of twice the patch size, 28,");
}

TEST(valuesOutOfRangeAreRefusedByName)
{
    CHECK_THROWS(Error, parse(with("/llm_config/hidden_size", nullptr)),
                 "llm_config.hidden_size is nothing");
    CHECK_THROWS(Error, parse(with("/llm_config/hidden_size", "5120")), "hidden_size is \"5120\"");
    CHECK_THROWS(Error, parse(with("/llm_config/hidden_size", -1)), "hidden_size is -1");
    CHECK_THROWS(Error, parse(with("/llm_config/num_hidden_layers", 1e9)), "num_hidden_layers");
    CHECK_THROWS(Error, parse(with("/llm_config/num_key_value_heads", 7)),
                 "divisor of num_attention_heads 40");
    CHECK_THROWS(Error, parse(with("/llm_config/vocab_size", 18446744073709551615ULL)),
                 "vocab_size");
    CHECK_THROWS(Error, parse(with("/vision_config/num_attention_heads", 15)),
                 "divisor of hidden_size 1024");
    CHECK_THROWS(Error, parse(with("/llm_config", 3)), "llm_config is 3 where an object");
    CHECK_THROWS(Error, parse(with("/min_dynamic_patch", 0)), "min_dynamic_patch is 0");
}

TEST(textThatIsNoConfigIsRefused)
{
    CHECK_THROWS(Error, parseConfig("", "a/config.json"), "a/config.json is not valid JSON");
    CHECK_THROWS(Error, parseConfig("[]", "a/config.json"), "no JSON object");
    const std::string whole = published().dump();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CHECK_THROWS(Error, parseConfig(whole.substr(0, length), "c"), "not valid JSON");
    }
}

KVL_TEST_MAIN
