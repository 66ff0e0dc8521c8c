#include "inference/decoders.h"

#include <algorithm>
#include <array>

namespace inference {

extern const DecoderFamily qwen3, qwen2, internlm2;

std::span<const DecoderFamily* const> decoderFamilies()
{
    static constexpr std::array<const DecoderFamily*, 3> all{&qwen3, &qwen2, &internlm2};
    return all;
}

const DecoderFamily& decoderFamily(const LanguageConfig& config)
{
    const auto all = decoderFamilies();
    return **std::find_if(all.begin(), all.end(), [&](const DecoderFamily* one) {
        return one->architecture == config.architecture;
    });
}

}  // namespace inference
