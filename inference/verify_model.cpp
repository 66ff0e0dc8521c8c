#include "inference/checkpoint.h"
#include "inference/device.h"
#include "inference/error.h"
#include "inference/language.h"
#include "inference/preprocess.h"
#include "inference/random_checkpoint.h"
#include "inference/seeded_image.h"
#include "inference/sha256.h"
#include "inference/tiles.h"
#include "inference/verify_parts.h"
#include "inference/verify_reference.h"
#include "inference/vision.h"
#include "inference/weights.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <stdlib.h>

namespace inference {
namespace {

constexpr double tolerance = 1e-4;  // of the largest logit, fp32
constexpr double nearTie = 2;       // bf16 steps

std::string number(double value)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.2g", value);
    return text;
}

/// By how much the best logit leads, in bf16 steps of its size.
double leadOf(const at::Tensor& logits)
{
    const at::Tensor best = std::get<0>(logits.to(at::kFloat).cpu().topk(2));
    const double first = best[0].item<double>(), second = best[1].item<double>();
    const double step = std::ldexp(1.0, std::ilogb(std::max(std::abs(first), 1e-30)) - 7);
    return (first - second) / step;
}

TokenId best(const at::Tensor& logits)
{
    return TokenId(logits.to(at::kFloat).argmax().item<std::int64_t>());
}

class TemporaryFolder {
public:
    TemporaryFolder()
    {
        std::error_code problem;
        const std::filesystem::path parent = std::filesystem::temp_directory_path(problem);
        if (problem) {
            throw Error("A folder for the random checkpoint could not be made: the environment "
                        "variable TMPDIR names a folder that is not there.");
        }
        std::string name = (parent / "kvl-verify-XXXXXX").string();
        if (!mkdtemp(name.data())) {
            throw Error("A folder for the random checkpoint could not be made in " +
                        parent.string() + "; it may be full or read-only.");
        }
        path = name;
    }
    ~TemporaryFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::filesystem::path path;
};

/// The random checkpoint, written anew and loaded.
struct RandomModel {
    RandomModel(const std::string& device, const std::string& dtype)
    {
        writeCheckpoint(folder.path, {});
        const Checkpoint checkpoint(folder.path);
        const at::Device on = chooseDevice(device);
        Weights weights(checkpoint, on, chooseDtype(dtype, on, "F32"), {}, {});
        vision = std::make_unique<VisionTower>(weights);
        language = std::make_unique<LanguageModel>(weights);
    }
    TemporaryFolder folder;  // mapped while the model lives
    std::unique_ptr<VisionTower> vision;
    std::unique_ptr<LanguageModel> language;
};

/// Embeddings of the case's prompt, the picture's tokens in their places.
at::Tensor embed(const RandomModel& model, const ReferenceCase& one, const std::stop_token& stop)
{
    std::vector<std::int64_t> ids;
    std::int64_t imageAt = 0, imageTokens = 0;
    for (const auto& [id, times] : one.prompt) {
        if (times > imageTokens) {  // no other token comes hundreds of times
            imageAt = std::int64_t(ids.size());
            imageTokens = times;
        }
        ids.insert(ids.end(), std::size_t(times), id);
    }
    at::Tensor x = model.language->embed(at::tensor(ids, at::kLong)).clone();
    if (one.image[0] > 0) {
        const std::vector<Image> tiles =
            cutTiles(seededImage(one.image[0], one.image[1], std::uint32_t(one.image[2])));
        Sha256 sum;
        for (const Image& tile : tiles) {
            addPixels(sum, tile);
        }
        if (sum.hex() != one.tilesSha256) {
            throw Error("The picture's tiles are not those of the reference.");
        }
        x.narrow(0, imageAt, imageTokens).copy_((*model.vision)(toTensor(tiles), stop));
    }
    return x;
}

double relativeError(const at::Tensor& logits, const std::vector<float>& expected)
{
    const at::Tensor all = logits.to(at::kFloat).cpu();
    double error = 0, largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const std::int64_t at = std::int64_t(i) * all.numel() / std::int64_t(expected.size());
        error = std::max(error, std::abs(all[at].item<double>() - double(expected[i])));
        largest = std::max(largest, std::abs(double(expected[i])));
    }
    return error / largest;
}

/// Greedy, up to the first token that differs from the reference's.
Finding answersAsTheReference(const RandomModel& model, const ReferenceCase& one, bool bf16,
                              const std::stop_token& stop)
{
    const c10::InferenceMode inference;
    const std::vector<TokenId>& tokens = bf16 ? one.bf16Tokens : one.tokens;
    KvCache cache = model.language->makeCache();
    at::Tensor logits = (*model.language)(embed(model, one, stop), cache, stop);
    const double error = relativeError(logits, one.logits);
    std::size_t same = 0;
    while (same < tokens.size() && best(logits) == tokens[same]) {
        if (++same < tokens.size()) {
            logits = (*model.language)(
                model.language->embed(at::tensor({std::int64_t(tokens[same - 1])}, at::kLong)),
                cache, stop);
        }
    }
    const std::string all = std::to_string(tokens.size());
    Finding finding;
    finding.found = std::to_string(same) + " tokens the same";
    if (bf16) {
        finding.expected = all + " tokens, or a first difference where 2 bf16 steps decide";
        finding.passed = same == tokens.size();
        if (!finding.passed) {
            finding.found += ", then a lead of " + number(one.bf16Leads[same]) + " steps";
            finding.passed = one.bf16Leads[same] < nearTie;
        }
    } else {
        finding.expected = all + " tokens, logits within 1e-4";
        finding.found += ", logits within " + number(error);
        finding.passed = same == tokens.size() && error <= tolerance;
    }
    return finding;
}

Request question(int newTokens, bool picture)
{
    Request request;
    request.system.preset = SystemPrompt::Preset::None;
    request.messages.push_back({Role::User, "What can be seen here? Name the main finding.", {}});
    if (picture) {
        request.messages.back().images.push_back(seededImage(300, 280, 7));
    }
    request.maxNewTokens = newTokens;
    return request;
}

struct Run {
    std::vector<TokenId> ids;
    std::vector<double> leads;
    Answer answer;
};

Run answer(KvlEngine& engine, const Request& request, KvlEngine::Computation how,
           const std::stop_token& stop)
{
    Run run;
    how.onLogits = [&](const at::Tensor& logits) { run.leads.push_back(leadOf(logits)); };
    run.answer = engine.compute(request, how, {}, stop);
    run.ids = run.answer.newIds;
    return run;
}

/// The same tokens; in bf16 the first difference may stand where `whole` leads by less than 2
/// steps.
Finding compare(const Run& whole, const Run& other, bool bf16)
{
    const std::size_t n = std::min(whole.ids.size(), other.ids.size());
    std::size_t same = 0;
    while (same < n && whole.ids[same] == other.ids[same]) {
        ++same;
    }
    Finding finding;
    finding.expected = std::to_string(whole.ids.size()) + " tokens";
    finding.found = std::to_string(same) + " tokens the same";
    finding.passed = same == whole.ids.size() && same == other.ids.size();
    if (!finding.passed && bf16 && same < whole.leads.size()) {
        finding.expected += " up to a lead below 2 bf16 steps";
        finding.found += ", then a lead of " + number(whole.leads[same]) + " steps";
        finding.passed = whole.leads[same] < nearTie;
    }
    return finding;
}

Finding partsGiveTheWhole(KvlEngine& engine, int rows, const std::stop_token& stop)
{
    const Request request = question(8, false);
    const Run whole = answer(engine, request, {.cold = true}, stop);
    const Run parts = answer(engine, request, {.prefillRows = rows, .cold = true}, stop);
    return compare(whole, parts, engine.info().dtype == "bf16");
}

/// A follow-up on the kept conversation, the picture not seen again, against a cold start.
Finding keptIsCold(KvlEngine& engine, const std::stop_token& stop)
{
    Request request = question(8, true);
    const Run first = answer(engine, request, {.cold = true}, stop);
    request.messages.push_back({Role::Assistant, first.answer.text, {}});
    request.messages.push_back({Role::User, "And on the left?", {}});
    const Run kept = answer(engine, request, {}, stop);
    const Run cold = answer(engine, request, {.cold = true}, stop);
    Finding finding = compare(cold, kept, engine.info().dtype == "bf16");
    finding.expected += ", picture kept";
    const bool reused = kept.answer.cachedTokens > 256 && kept.answer.pictures.computed == 0 &&
        cold.answer.cachedTokens == 0 && cold.answer.pictures.computed == 1;
    finding.found += ", " + std::to_string(kept.answer.cachedTokens) + " prompt tokens kept";
    finding.passed = finding.passed && reused;
    return finding;
}

}  // namespace

std::vector<VerifyPart> referenceChecks(const std::string& device, const std::string& dtype)
{
    std::vector<VerifyPart> parts;
    const auto model = std::make_shared<std::unique_ptr<RandomModel>>();
    for (const ReferenceCase& one : referenceCases()) {
        parts.push_back({"random checkpoint", one.name,
                         [model, &one, device, dtype](const std::stop_token& stop) {
                             if (!*model) {
                                 *model = std::make_unique<RandomModel>(device, dtype);
                             }
                             return answersAsTheReference(**model, one, dtype == "bf16", stop);
                         }});
    }
    return parts;
}

std::vector<VerifyPart> engineChecks(const std::function<KvlEngine&()>& engine)
{
    std::vector<VerifyPart> parts;
    for (const int rows : {16, 1}) {
        parts.push_back(
            {"this checkpoint",
             rows == 1 ? "prompt token by token as at once" : "prompt in parts as at once",
             [engine, rows](const std::stop_token& stop) {
                 return partsGiveTheWhole(engine(), rows, stop);
             }});
    }
    parts.push_back({"this checkpoint", "follow-up on the kept picture as from a cold start",
                     [engine](const std::stop_token& stop) { return keptIsCold(engine(), stop); }});
    return parts;
}

}  // namespace inference
