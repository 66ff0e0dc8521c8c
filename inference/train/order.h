#pragma once

#include <cstdint>
#include <vector>

namespace inference::train {

/// Which conversation comes at which place: all of them in a new order each epoch, the same for the
/// same seed on every machine.
class Order {
public:
    Order(std::int64_t size, std::uint64_t seed);
    /// Place 0, 1, ... without end -> 0 .. size - 1.
    std::int64_t at(std::int64_t place);

private:
    std::uint64_t m_seed;
    std::int64_t m_epoch = -1;
    std::vector<std::int64_t> m_order;
};

}  // namespace inference::train
