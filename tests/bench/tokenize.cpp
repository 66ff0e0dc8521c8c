#include "bench/bench.h"

#include "inference/sha256.h"
#include "inference/tokenizer.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace bench {

/// Encodes the texts of the file, a zero byte behind each, on one thread. The digest is over all
/// ids, so that compare.py can see that both did the same.
int tokenize(const std::string& folder, const std::string& texts)
{
    std::ifstream file(texts, std::ios::binary);
    const std::string all(std::istreambuf_iterator<char>(file), {});
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    for (std::size_t at = all.find('\0'); at != std::string::npos; at = all.find('\0', begin)) {
        parts.push_back(std::string_view(all).substr(begin, at - begin));
        begin = at + 1;
    }
    if (parts.empty()) {
        throw std::runtime_error(texts + " holds no text that ends in a zero byte");
    }
    const double start = now();
    const auto tokenizer = inference::loadTokenizer(folder);
    const double loadSeconds = now() - start;
    std::size_t count = 0;
    const double seconds = best(7, [&] {
        count = 0;
        for (const std::string_view part : parts) {
            count +=
                tokenizer->encode(part, inference::Tokenizer::ControlTokens::Recognised).size();
        }
    });
    std::string ids;
    for (const std::string_view part : parts) {
        for (const auto id :
             tokenizer->encode(part, inference::Tokenizer::ControlTokens::Recognised)) {
            ids += std::to_string(id) + ' ';
        }
    }
    std::printf(
        R"({"bench": "tokenize", "texts": %zu, "bytes": %zu, "tokens": %zu, "seconds": %.5f, "load_seconds": %.3f, "sha256": "%s"})"
        "\n",
        parts.size(), all.size() - parts.size(), count, seconds, loadSeconds,
        inference::sha256Hex(ids).c_str());
    return 0;
}

}  // namespace bench
