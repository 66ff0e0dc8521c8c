#include "inference/checkpoint.h"

#include "inference/decoders.h"
#include "inference/error.h"
#include "inference/sha256.h"
#include "inference/tokenizer_check.h"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

namespace inference {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* singleFile = "model.safetensors";
constexpr const char* indexFile = "model.safetensors.index.json";
constexpr std::uint64_t hashedBytes = 256;         // of each tensor; a page is read for each
constexpr std::uintmax_t maxTextBytes = 64 << 20;  // of config.json and the index

/// The whole file; throws Error where it is absent or absurdly large.
std::string readText(const fs::path& path, const char* cause)
{
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    std::ifstream file(path, std::ios::binary);
    if (error || !file) {
        throw Error(path.string() + " is missing or cannot be read; " + cause + ".");
    }
    if (size > maxTextBytes) {
        throw Error(path.string() + " has " + std::to_string(size) + " bytes where at most " +
                    std::to_string(maxTextBytes) + " are expected; it is not what its name says.");
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string shapeText(const std::vector<std::int64_t>& shape)
{
    std::string text = "[";
    for (const std::int64_t side : shape) {
        text += (text.size() > 1 ? ", " : "") + std::to_string(side);
    }
    return text + "]";
}

std::string andMore(std::size_t count)
{
    return count > 1 ? " (and " + std::to_string(count - 1) + " more)" : "";
}

/// Rotary tables that old savers wrote; they follow from the config.
bool isKnownBuffer(const std::string& name)
{
    return name.ends_with(".rotary_emb.inv_freq");
}

/// Why a file of weights is not opened, by its name; nullptr for other files.
const char* whyNotOpened(const fs::path& file)
{
    const std::string suffix = file.extension().string();
    for (const char* pickled : {".bin", ".pt", ".pth", ".ckpt", ".pkl"}) {
        if (suffix == pickled) {
            return "weights are data here: pickled files can run foreign code and are not opened, "
                   "save the model as safetensors";
        }
    }
    if (suffix == ".gguf" || suffix == ".ggml") {
        return "GGUF files of llama.cpp are not computed by this version, whose answers are those "
               "of the original weights";
    }
    return nullptr;
}

/// Throws where the folder holds weights of another format instead of safetensors.
void refuseOtherWeights(const fs::path& folder)
{
    std::error_code error;
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        files.push_back(entry.path().filename());
    }
    std::sort(files.begin(), files.end());
    if (std::any_of(files.begin(), files.end(), [](const fs::path& file) {
            return file.extension() == ".safetensors" || file == indexFile;
        })) {
        return;
    }
    for (const fs::path& file : files) {
        if (const char* const why = whyNotOpened(file)) {
            throw Error(folder.string() + " holds " + file.string() + " where " + singleFile +
                        " or " + indexFile + " is expected; " + why + ".");
        }
    }
}

at::ScalarType scalarType(const std::string& dtype)
{
    return dtype == "BF16" ? at::kBFloat16 : at::kFloat;
}

}  // namespace

Checkpoint::Checkpoint(const fs::path& folder)
    : m_folder(folder)
{
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        if (const char* const why = whyNotOpened(folder)) {
            throw Error(folder.string() +
                        " is a file where the folder of a checkpoint, with "
                        "config.json and " +
                        singleFile + " in it, is expected; " + why + ".");
        }
        throw Error(
            folder.string() +
            " is not a folder; the folder of a checkpoint, with config.json in it, is expected.");
    }
    refuseOtherWeights(folder);
    const std::string configText =
        readText(folder / "config.json", "the folder holds no checkpoint");
    m_config = parseConfig(configText, folder / "config.json");
    std::string index;
    if (fs::exists(folder / indexFile, error)) {
        index = readText(folder / indexFile, "the download is probably incomplete");
        openShards(index);
    } else if (fs::exists(folder / singleFile, error)) {
        openSingleFile();
    } else {
        throw Error(folder.string() + " has neither " + singleFile + " nor " + indexFile +
                    "; the weights were probably not downloaded.");
    }
    if (m_config.hfNative) {
        const bool model = std::any_of(m_places.begin(), m_places.end(), [](const auto& place) {
            return place.first.starts_with("model.");
        });
        m_layout = model ? Layout::Hf : Layout::HfWithoutModel;
    }
    checkTensors();
    describe(configText, index);
}

void Checkpoint::addFile(const fs::path& path)
{
    m_files.push_back(std::make_unique<SafetensorsFile>(path));
    for (const auto& [name, tensor] : m_files.back()->tensors()) {
        const auto [at, added] = m_places.emplace(name, Place{m_files.back().get(), &tensor});
        if (!added) {
            throw Error("Tensor " + name + " is in " + at->second.file->path().string() +
                        " and in " + path.string() +
                        "; shards of two checkpoints were probably mixed.");
        }
    }
}

void Checkpoint::openSingleFile()
{
    addFile(m_folder / singleFile);
}

void Checkpoint::openShards(const std::string& index)
{
    const std::string file = (m_folder / indexFile).string();
    std::map<std::string, std::string> shardOf;
    try {
        shardOf = json::parse(index).at("weight_map").get<std::map<std::string, std::string>>();
    } catch (const json::exception&) {
        throw Error(
            file +
            " has no weight_map of tensor names to file names; it is damaged or was cut short.");
    }
    std::set<std::string> shards;
    for (const auto& [name, shard] : shardOf) {
        if (shard.empty() || fs::path(shard).filename() != shard ||
            !shard.ends_with(".safetensors")) {
            throw Error(file + " places tensor " + name + " in \"" + shard.substr(0, 200) +
                        "\" where the name of a safetensors file in the same folder is expected; "
                        "it was edited or is damaged.");
        }
        shards.insert(shard);
    }
    for (const std::string& shard : shards) {
        std::error_code error;
        if (!fs::exists(m_folder / shard, error)) {
            throw Error((m_folder / shard).string() + " is missing, one of " +
                        std::to_string(shards.size()) + " files that " + indexFile +
                        " lists; the download is probably incomplete.");
        }
    }
    for (const std::string& shard : shards) {
        addFile(m_folder / shard);
    }
    for (const auto& [name, shard] : shardOf) {
        const auto place = m_places.find(name);
        if (place == m_places.end() || place->second.file->path().filename() != shard) {
            throw Error((m_folder / shard).string() + " does not hold tensor " + name + ", which " +
                        indexFile + " places there; the files are of different checkpoints.");
        }
    }
    for (const auto& [name, place] : m_places) {
        if (!shardOf.contains(name)) {
            throw Error(place.file->path().string() + " holds tensor " + name + ", which " +
                        indexFile + " does not list; the files are of different checkpoints.");
        }
    }
}

std::vector<TensorShape> Checkpoint::storedTensors() const
{
    std::vector<TensorShape> all;
    for (TensorShape& one : expectedTensors(m_config)) {
        const std::vector<std::string> stored = names(one.name);
        one.shape.front() /= std::int64_t(stored.size());
        for (const std::string& name : stored) {
            all.push_back({name, one.shape});
        }
    }
    return all;
}

void Checkpoint::checkTensors() const
{
    const std::vector<TensorShape> expected = storedTensors();
    std::set<std::string> known;
    std::vector<std::string> missing, unexpected;
    for (const TensorShape& one : expected) {
        known.insert(one.name);
        const auto at = m_places.find(one.name);
        if (at == m_places.end()) {
            missing.push_back(one.name);
            continue;
        }
        const StoredTensor& found = *at->second.tensor;
        if (found.shape != one.shape) {
            throw Error(at->second.file->path().string() + ": tensor " + one.name + " has shape " +
                        shapeText(found.shape) + " where config.json asks for " +
                        shapeText(one.shape) +
                        "; config.json and weights are of different models.");
        }
        if (found.dtype != "BF16" && found.dtype != "F32") {
            throw Error(at->second.file->path().string() + ": tensor " + one.name +
                        " is stored as " + found.dtype +
                        " where BF16 or F32 is expected; the checkpoint was quantised or converted "
                        "for another program.");
        }
    }
    const std::string where = m_folder.string();
    if (!missing.empty()) {
        throw Error(where + ": tensor " + missing.front() + " is missing" +
                    andMore(missing.size()) + ", " + std::to_string(expected.size()) +
                    " tensors are expected; config.json is of another model or the weights were "
                    "saved in part.");
    }
    const bool tied = m_config.language.tiedHead;
    const std::string head =
        names(std::string(decoderFamily(m_config.language).head) + ".weight").front();
    for (const auto& [name, place] : m_places) {
        if (name.starts_with("gating.") || name.starts_with("pooling_before_gating.")) {
            throw Error(
                where + ": tensor " + name +
                " is part of the router of a -Flash variant of InternVL3.5, which this "
                "version does not compute; take the repository without -Flash in its name.");
        }
        if (!known.contains(name) && !isKnownBuffer(name) && !(tied && name == head)) {
            unexpected.push_back(name);
        }
    }
    if (!unexpected.empty()) {
        std::sort(unexpected.begin(), unexpected.end());
        throw Error(where + ": tensor " + unexpected.front() +
                    " is not part of the model that config.json describes" +
                    andMore(unexpected.size()) +
                    "; config.json and weights are of different models.");
    }
}

void Checkpoint::describe(const std::string& configText, const std::string& index)
{
    Sha256 hash;
    hash.add(configText);
    hash.add(index);
    std::uint64_t halfBytes = 0;
    for (const auto& file : m_files) {
        hash.add(file->path().filename().string() + '\n' + std::to_string(file->size()) + '\n');
        hash.add(file->header());
        for (const auto& [name, tensor] : file->tensors()) {
            m_info.weightBytes += std::int64_t(tensor.bytes);
            m_info.parameters +=
                std::int64_t(tensor.bytes) / std::max(1, elementBytes(tensor.dtype));
            halfBytes += tensor.dtype == "BF16" ? tensor.bytes : 0;
            const std::uint64_t sample = std::min<std::uint64_t>(tensor.bytes, hashedBytes);
            const std::byte* middle = file->data(tensor) + (tensor.bytes - sample) / 2;
            hash.add({reinterpret_cast<const char*>(middle), std::size_t(sample)});
        }
    }
    m_info.modelHash = hash.hex();
    m_info.storedDtype = 2 * halfBytes >= std::uint64_t(m_info.weightBytes) ? "BF16" : "F32";
    m_info.folder = m_folder;
    const fs::path plain = (m_folder / "").parent_path();
    m_info.name = m_config.name.empty() ? fs::absolute(plain).lexically_normal().filename().string()
                                        : m_config.name;
    m_info.architecture = m_config.architecture;
    m_info.languageModel = m_config.language.architecture;
    m_info.visionModel = "InternVisionModel";
    m_info.family = decoderFamily(m_config.language).name;
    m_info.tower = m_config.vision.tower;
    m_info.layout = m_config.hfNative ? "HF-native" : "InternVLChat";
    m_info.chatTemplate = m_config.chatTemplate;
    m_info.warnings = m_config.warnings;
    m_info.tileSize = m_config.tileSize;
    m_info.tokensPerTile = m_config.tokensPerTile();
    m_info.maxTiles = m_config.maxTiles;
    m_info.demonstration = m_config.demonstration;
    m_info.contextLength = m_config.language.contextLength();
    m_info.languageLayers = m_config.language.layers;
    m_info.visionLayers = m_config.vision.layers;
    m_info.hiddenSize = m_config.language.hiddenSize;
    m_info.vocabulary = m_config.language.vocabulary;
}

at::Tensor Checkpoint::tensor(const std::string& stored) const
{
    const Place place = m_places.at(stored);
    const at::ScalarType type = scalarType(place.tensor->dtype);
    // from_blob takes a writable pointer; the pages are read-only and no operation writes to
    // weights
    void* const bytes = const_cast<std::byte*>(place.file->data(*place.tensor));
    const auto keep = [mapping = place.file->mapping()](void*) {};
    if (reinterpret_cast<std::uintptr_t>(bytes) % at::elementSize(type) == 0) {
        return at::from_blob(bytes, place.tensor->shape, keep, at::TensorOptions(type));
    }
    at::Tensor copy = at::empty(place.tensor->shape, at::TensorOptions(type));
    std::memcpy(copy.data_ptr(), bytes, place.tensor->bytes);
    return copy;
}

std::span<const std::byte> Checkpoint::bytes(const std::string& stored) const
{
    const Place place = m_places.at(stored);
    return {place.file->data(*place.tensor), std::size_t(place.tensor->bytes)};
}

ModelInfo inspectCheckpoint(const fs::path& folder)
{
    const Checkpoint checkpoint(folder);
    ModelInfo info = checkpoint.info();
    checkTokenizer(*loadTokenizer(folder), checkpoint.config(), info);
    return info;
}

bool looksLikeCheckpoint(const fs::path& folder)
{
    std::error_code error;
    if (!fs::is_regular_file(folder / "config.json", error) ||
        fs::file_size(folder / "config.json", error) > maxTextBytes) {
        return false;
    }
    std::ifstream file(folder / "config.json", std::ios::binary);
    const json root = json::parse(file, nullptr, false);
    return root.is_object() && root.contains("architectures") && root["architectures"].is_array();
}

}  // namespace inference
