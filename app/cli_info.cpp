#include "app/arguments.h"
#include "app/commands.h"
#include "app/pictures.h"
#include "inference/engine.h"
#include "inference/memory_plan.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace app {

const char* const infoHelp =
    R"(kvl info PATH [--password TEXT] [--json]

Says what a picture, DICOM file, study folder, PDF, video or checkpoint is; of a checkpoint
also the memory it takes on each device and in each dtype, and whether it fits.

  --password TEXT  of an encrypted PDF; - asks for it without showing it, or takes a line of
                   standard input
  --json           one JSON object
)";

namespace {

using Json = nlohmann::ordered_json;

Json describePlan(const inference::MemoryPlan& plan)
{
    Json devices = Json::array();
    for (const inference::DevicePlan& one : plan.devices) {
        devices.push_back({{"device", one.memory.device},
                           {"layers", one.layers},
                           {"weight_bytes", one.weights},
                           {"kv_bytes_per_1000_tokens", one.kvPerThousand},
                           {"kv_bytes_full_context", one.kvFull},
                           {"work_bytes", one.work},
                           {"free_bytes", one.memory.free},
                           {"total_bytes", one.memory.total}});
    }
    Json all = {{"device", plan.map.text()},
                {"dtype", plan.dtype},
                {"weights_used_where_mapped", plan.mapped},
                {"fits", plan.fits()},
                {"tokens_that_fit", plan.contextFits},
                {"tiles_that_fit", plan.tilesFit},
                {"devices", devices}};
    if (!plan.fits()) {
        all["problem"] = plan.problem;
    }
    return all;
}

/// For each device, each dtype.
Json describePlans(const std::string& path)
{
    std::vector<std::string> devices{"auto"};
    for (const inference::DeviceMemory& one : inference::usableDevices()) {
        devices.push_back(one.device);
    }
    if (devices.size() == 2) {
        devices.erase(devices.begin());  // auto is the CPU, too
    }
    Json plans = Json::array();
    for (const std::string& device : devices) {
        for (const char* dtype : {"bf16", "fp32"}) {
            inference::LoadOptions load;
            load.checkpoint = path;
            load.device = device;
            load.dtype = dtype;
            plans.push_back(describePlan(inference::planMemory(load)));
        }
    }
    return plans;
}

Json describeCheckpoint(const std::string& path)
{
    const inference::ModelInfo info = inference::inspectCheckpoint(path);
    return {{"kind", "checkpoint"},
            {"name", info.name},
            {"architecture", info.architecture},
            {"family", info.family},
            {"vision_tower", info.tower},
            {"layout", info.layout},
            {"chat_template", info.chatTemplate},
            {"tokenizer", info.tokenizer},
            {"tokens", info.tokens},
            {"language_model", info.languageModel},
            {"vision_model", info.visionModel},
            {"parameters", info.parameters},
            {"weight_bytes", info.weightBytes},
            {"dtype", info.storedDtype},
            {"language_layers", info.languageLayers},
            {"vision_layers", info.visionLayers},
            {"hidden_size", info.hiddenSize},
            {"vocabulary", info.vocabulary},
            {"context_length", info.contextLength},
            {"tile_size", info.tileSize},
            {"tokens_per_tile", info.tokensPerTile},
            {"max_tiles", info.maxTiles},
            {"model_hash", info.modelHash},
            {"demonstration", info.demonstration},
            {"warnings", info.warnings},
            {"memory", describePlans(path)}};
}

/// Nested values as indented lines, for people.
void print(const Json& value, int depth)
{
    for (const auto& [name, item] : value.items()) {
        std::printf("%*s", 2 * depth, "");
        if (item.is_object() || (item.is_array() && !item.empty() && item[0].is_object())) {
            if (!value.is_array()) {
                std::printf("%s:\n", name.c_str());
            } else {
                std::printf("-\n");
            }
            print(item, depth + 1);
            continue;
        }
        const std::string text = item.is_string() ? item.get<std::string>() : item.dump();
        std::printf("%s: %s\n", name.c_str(), text.c_str());
    }
}

}  // namespace

int info(const std::vector<std::string>& words, const std::stop_token&)
{
    const Arguments arguments(words, {{"--password"}, {"--json", false}});
    const std::vector<std::string> paths = arguments.positional();
    if (paths.size() != 1) {
        throw UsageError(paths.empty() ? "the path is missing" : "more than one path is given");
    }
    std::error_code error;
    if (!std::filesystem::exists(paths[0], error)) {
        throw std::runtime_error(paths[0] + " does not exist");
    }
    const auto pictureSystem = startPictures();
    PictureChoice choice;
    for (const Arguments::Item& item : arguments.items()) {
        applyChoice(choice, item);
    }
    const Json result = inference::looksLikeCheckpoint(paths[0])
        ? describeCheckpoint(paths[0])
        : describeDocument(paths[0], choice.password);
    if (arguments.has("--json")) {
        std::puts(result.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    } else {
        print(result, 0);
    }
    return exitDone;
}

}  // namespace app
