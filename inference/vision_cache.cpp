#include "inference/vision_cache.h"

#include "inference/sha256.h"
#include "inference/stop.h"

#include <ATen/ATen.h>

namespace inference {

std::string pixelHash(const Image& image, const std::stop_token& stop)
{
    Sha256 hash;
    for (int y = 0; y < image.height; ++y) {
        if (y % 64 == 0) {
            throwIfStopped(stop);
        }
        hash.add(image.row(y), std::size_t(image.width) * 3);
    }
    return hash.hex();
}

std::string pictureKey(const std::string& pixelHash, const ImageUse& use)
{
    std::string key = pixelHash;
    for (const int number : {use.width, use.height, use.grid.columns, use.grid.rows, use.tiles}) {
        key += ' ' + std::to_string(number);
    }
    return key;
}

at::Tensor VisionCache::find(const std::string& key)
{
    const auto place = m_places.find(key);
    if (place == m_places.end()) {
        return {};
    }
    m_entries.splice(m_entries.begin(), m_entries, place->second);
    return place->second->tokens;
}

void VisionCache::add(const std::string& key, const at::Tensor& tokens)
{
    const auto size = std::int64_t(tokens.nbytes());
    if (size > m_budget || find(key).defined()) {
        return;
    }
    m_entries.push_front({key, tokens.to(at::kCPU)});
    m_places[key] = m_entries.begin();
    m_bytes += size;
    while (m_bytes > m_budget) {
        m_bytes -= std::int64_t(m_entries.back().tokens.nbytes());
        m_places.erase(m_entries.back().key);
        m_entries.pop_back();
    }
}

void VisionCache::clear()
{
    m_entries.clear();
    m_places.clear();
    m_bytes = 0;
}

}  // namespace inference
