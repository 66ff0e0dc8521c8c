#include "inference/towers.h"

#include <algorithm>
#include <array>

namespace inference {

extern const TowerFamily internVit300m, internVit6b;

std::span<const TowerFamily* const> towerFamilies()
{
    static constexpr std::array<const TowerFamily*, 2> all{&internVit300m, &internVit6b};
    return all;
}

const TowerFamily& towerFamily(const VisionConfig& config)
{
    const auto all = towerFamilies();
    return **std::find_if(all.begin(), all.end(),
                          [&](const TowerFamily* one) { return one->name == config.tower; });
}

}  // namespace inference
