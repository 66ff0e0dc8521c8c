#pragma once

#include "inference/engine.h"

#include <ATen/core/Tensor.h>

#include <list>
#include <stop_token>
#include <string>
#include <unordered_map>

namespace inference {

/// SHA-256 of a picture's RGB bytes, hex; what lies between its rows does not count. Throws
/// Cancelled.
std::string pixelHash(const Image& image, const std::stop_token& stop);

/// Names what the tower makes of a picture: pixels, size and tiling.
std::string pictureKey(const std::string& pixelHash, const ImageUse& use);

/// Image tokens of pictures seen before, in main memory, by pictureKey(). Where they are more than
/// `budget` bytes, those not used for longest go first.
class VisionCache {
public:
    explicit VisionCache(std::int64_t budget)
        : m_budget(budget)
    {
    }

    /// [tokens, width], undefined where the picture is not known. Counts as a use.
    at::Tensor find(const std::string& key);
    /// Not kept where it is larger than the budget by itself.
    void add(const std::string& key, const at::Tensor& tokens);
    void clear();

    std::int64_t bytes() const { return m_bytes; }
    std::size_t size() const { return m_entries.size(); }

private:
    struct Entry {
        std::string key;
        at::Tensor tokens;
    };

    std::int64_t m_budget, m_bytes = 0;
    std::list<Entry> m_entries;  // the last used first
    std::unordered_map<std::string, std::list<Entry>::iterator> m_places;
};

}  // namespace inference
