#include "inference/error.h"
#include "inference/preprocess.h"
#include "inference/resize.h"
#include "inference/seeded_image.h"
#include "inference/sha256.h"
#include "inference/tiling.h"
#include "inference/verify_parts.h"
#include "inference/verify_reference.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>

namespace inference {
namespace {

std::string joined(const std::vector<TokenId>& ids)
{
    std::string text;
    for (const TokenId id : ids) {
        text += (text.empty() ? "" : " ") + std::to_string(id);
    }
    return text;
}

std::string countText(std::size_t right, std::size_t all)
{
    return std::to_string(right) + " of " + std::to_string(all);
}

Finding encodesAsTheReference(const Tokenizer& tokenizer)
{
    const auto& vectors = qwenVectors();
    Finding finding{
        countText(vectors.size(), vectors.size()) + " texts with the reference's ids", {}, true};
    std::size_t right = 0;
    for (const TokenVector& one : vectors) {
        const std::vector<TokenId> ids = tokenizer.encode(one.text);
        right += ids == one.ids;
        if (ids != one.ids && finding.passed) {
            finding.passed = false;
            finding.found =
                "; “" + one.text + "” gives " + joined(ids) + " instead of " + joined(one.ids);
        }
    }
    finding.found = countText(right, vectors.size()) + finding.found;
    return finding;
}

/// A tokenizer whose ids are not recorded still has to give every text back.
Finding givesTextsBack(const Tokenizer& tokenizer)
{
    const auto& vectors = qwenVectors();
    Finding finding{countText(vectors.size(), vectors.size()) + " texts come back", {}, true};
    std::size_t right = 0;
    for (const TokenVector& one : vectors) {
        const std::string once = tokenizer.decode(tokenizer.encode(one.text), false);
        // NFC or a prefix space may change a text once, never twice
        const bool same = tokenizer.decode(tokenizer.encode(once), false) == once;
        right += same;
        if (!same && finding.passed) {
            finding.passed = false;
            finding.found = "; “" + one.text + "” becomes “" + once + "”";
        }
    }
    finding.found = countText(right, vectors.size()) + finding.found;
    return finding;
}

Finding hasControlTokens(const Tokenizer& tokenizer)
{
    Finding finding{"each is one token, and ordinary text when it is typed", {}, true};
    for (const char* token : {"<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>"}) {
        const std::optional<TokenId> id = tokenizer.control(token);
        const bool single = id &&
            tokenizer.encode(token, Tokenizer::ControlTokens::Recognised) ==
                std::vector<TokenId>{*id};
        const std::vector<TokenId> typed = tokenizer.encode(token);
        const bool text = std::find(typed.begin(), typed.end(), id.value_or(-1)) == typed.end();
        finding.passed = finding.passed && single && text;
        finding.found += (finding.found.empty() ? "" : ", ") + std::string(token) + " ";
        finding.found += !id ? "absent" : std::to_string(*id);
        finding.found += single ? "" : " (not one token)";
        finding.found += text ? "" : " (typed text becomes it)";
    }
    return finding;
}

std::string sumOf(const Image& image)
{
    Sha256 sum;
    addPixels(sum, image);
    return sum.hex();
}

struct Resize {
    PixelSize from, to;
    Filter filter;
    const char* sha256;  // model specification 5.5, made by Pillow 11.3
};
constexpr Resize resizes[] = {
    {{37, 23},
     {448, 448},
     Filter::Bicubic,
     "a9374eebf1a5aa1efa0fdf341eeb91d1a8c0b47820f1c3e0de3cab39947653d7"},
    {{640, 481},
     {448, 448},
     Filter::Bicubic,
     "c4f471b5df1ea69d2f80de911e327544a458da0933147d154b28b0b3fe252ff2"},
    {{3, 3},
     {7, 5},
     Filter::Bicubic,
     "6a3e8ed4bcde762b711982820b6427af4021484dca9f23f8b9de34a5d242eaa4"},
    {{100, 60},
     {200, 120},
     Filter::Bilinear,
     "c93a4435c13dac7ba55afd72653de2cf44bf257b8eab3ff72bdfbb5ca25b17e0"},
};

std::string sizeText(PixelSize size)
{
    return std::to_string(size.width) + " × " + std::to_string(size.height);
}

Finding resizesAsPillow(const Resize& one)
{
    const Image source = seededImage(one.from.width, one.from.height, 12345);
    const std::string sum = sumOf(resize(source, one.to, one.filter));
    const std::string scalar = sumOf(resizeScalar(source, one.to, one.filter));
    return {"sha256 " + std::string(one.sha256).substr(0, 16), "sha256 " + sum.substr(0, 16),
            sum == one.sha256 && scalar == one.sha256};
}

/// All 3 * 256 values that a sample can become, in bf16 (model specification 5.6).
Finding normalisesAsTorchvision()
{
    const std::string expected = "19b7eb14dcab35896f490a5134e99d841ab26c6aa477586b654470784ae64fb4";
    const std::shared_ptr<std::uint8_t[]> pixels(new std::uint8_t[std::size_t(256) * 3]);
    for (int i = 0; i < 256 * 3; ++i) {
        pixels[i] = std::uint8_t(i / 3);
    }
    const at::Tensor values = toTensor({{16, 16, 48, {pixels, pixels.get()}}}).to(at::kBFloat16);
    Sha256 sum;
    sum.add(values.const_data_ptr(), std::size_t(values.nbytes()));
    const std::string found = sum.hex();
    return {"sha256 " + expected.substr(0, 16), "sha256 " + found.substr(0, 16), found == expected};
}

struct Grid {
    int width, height, maxTiles, columns, rows, tiles;
};
constexpr Grid grids[] = {
    {448, 448, 12, 1, 1, 1},   {640, 480, 12, 4, 3, 13},  {1000, 1000, 12, 3, 3, 10},
    {633, 633, 12, 1, 1, 1},   {634, 634, 12, 2, 2, 5},   {1920, 1080, 12, 4, 2, 9},
    {1080, 1920, 12, 2, 4, 9}, {2480, 3508, 12, 2, 3, 7}, {100, 1200, 12, 1, 12, 13},
    {896, 448, 12, 2, 1, 3},   {500, 400, 12, 4, 3, 13},  {640, 480, 6, 3, 2, 7},
    {1000, 1000, 6, 2, 2, 5},  {500, 400, 6, 1, 1, 1},    {1250, 1000, 6, 3, 2, 7},
};

Finding choosesTheGrids()
{
    Finding finding{countText(std::size(grids), std::size(grids)) + " sizes", {}, true};
    std::size_t right = 0;
    for (const Grid& one : grids) {
        TilingOptions options;
        options.maxTiles = one.maxTiles;
        const TileLayout layout = layoutTiles(one.width, one.height, options);
        const bool same =
            layout.grid == TileGrid{one.columns, one.rows} && layout.tiles == one.tiles;
        right += same;
        if (!same && finding.passed) {
            finding.passed = false;
            finding.found = "; " + sizeText({one.width, one.height}) + " becomes " +
                sizeText({layout.grid.columns, layout.grid.rows});
        }
    }
    finding.found = countText(right, std::size(grids)) + finding.found;
    return finding;
}

}  // namespace

std::vector<VerifyPart> tokenizerChecks(const std::filesystem::path& folder)
{
    constexpr int qwenTokens = 151643;  // without the added ones
    const std::shared_ptr<const Tokenizer> tokenizer = loadTokenizer(folder);
    const bool qwen = tokenizer->size() >= qwenTokens;
    const auto with = [&](Finding (*check)(const Tokenizer&)) {
        return [tokenizer, check](const std::stop_token&) { return check(*tokenizer); };
    };
    std::vector<VerifyPart> parts;
    if (qwen) {
        parts.push_back({"tokenizer", "ids of Qwen's tokenizer", with(encodesAsTheReference)});
    }
    parts.push_back({"tokenizer", "texts come back", with(givesTextsBack)});
    parts.push_back({"tokenizer", "control tokens", with(hasControlTokens)});
    return parts;
}

std::vector<VerifyPart> pictureChecks()
{
    std::vector<VerifyPart> parts;
    parts.push_back(
        {"pictures", "grids", [](const std::stop_token&) { return choosesTheGrids(); }});
    for (const Resize& one : resizes) {
        parts.push_back({"pictures",
                         "resize " + sizeText(one.from) + " to " + sizeText(one.to) +
                             (one.filter == Filter::Bilinear ? ", bilinear" : ""),
                         [&one](const std::stop_token&) { return resizesAsPillow(one); }});
    }
    parts.push_back({"pictures", "values of samples",
                     [](const std::stop_token&) { return normalisesAsTorchvision(); }});
    return parts;
}

}  // namespace inference
