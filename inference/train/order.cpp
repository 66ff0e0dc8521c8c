#include "inference/train/order.h"

#include <numeric>
#include <utility>

namespace inference::train {
namespace {

/// SplitMix64.
std::uint64_t next(std::uint64_t& state)
{
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

}  // namespace

Order::Order(std::int64_t size, std::uint64_t seed)
    : m_seed(seed)
    , m_order(std::size_t(size))
{
}

std::int64_t Order::at(std::int64_t place)
{
    const auto size = std::int64_t(m_order.size());
    if (place / size != m_epoch) {
        m_epoch = place / size;
        std::iota(m_order.begin(), m_order.end(), 0);
        std::uint64_t state = m_seed;
        state = next(state) ^ std::uint64_t(m_epoch);
        for (std::size_t i = m_order.size() - 1; i > 0; --i) {
            std::swap(m_order[i], m_order[next(state) % (i + 1)]);
        }
    }
    return m_order[std::size_t(place % size)];
}

}  // namespace inference::train
