#pragma once

#include "inference/engine.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

/// What verify() compares with, recorded by tests/reference/make_verify.py.
namespace inference {

struct TokenVector {
    std::string text;
    std::vector<TokenId> ids;
};

/// For the files that every Qwen2 and Qwen3 tokenizer shares.
const std::vector<TokenVector>& qwenVectors();

/// What the reference makes of the random checkpoint "tiny" of seed 1.
struct ReferenceCase {
    std::string name;
    std::array<int, 3> image{};  // width, height, seed of a seeded picture; 0: none
    std::string tilesSha256;
    std::vector<std::pair<TokenId, int>> prompt;  // id, times
    std::vector<float> logits;        // fp32, behind the prompt, those at i * vocabulary / size
    std::vector<TokenId> tokens;      // fp32, greedy
    std::vector<TokenId> bf16Tokens;  // likewise in bf16
    std::vector<double> bf16Leads;    // of the best logit over the second, in bf16 steps of it
};

const std::vector<ReferenceCase>& referenceCases();

}  // namespace inference
