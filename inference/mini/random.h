#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

namespace inference::mini {

/// Spreads the bits of a number (the finaliser of SplitMix64; Steele, Lea, Flood 2014).
constexpr std::uint64_t mixed(std::uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

/// SplitMix64: the same numbers on every machine. The standard library's distributions are not, so
/// they are not used. Two draws must not be arguments of one call: compilers differ in which comes
/// first; between braces and declarators the order is fixed.
class Random {
public:
    explicit constexpr Random(std::uint64_t state)
        : m_state(mixed(state + 0x9e3779b97f4a7c15))
    {
    }

    constexpr std::uint64_t next() { return mixed(m_state += 0x9e3779b97f4a7c15); }
    /// A whole number of 0 .. count - 1; count is at least 1.
    constexpr int below(int count)
    {
        return int(((next() >> 32) * std::uint64_t(std::uint32_t(count))) >> 32);
    }
    /// A whole number within [least, most].
    constexpr int whole(int least, int most) { return least + below(most - least + 1); }
    /// A number of [least, most), 53 random bits.
    constexpr double real(double least, double most)
    {
        return least + (most - least) * (double(next() >> 11) * 0x1p-53);
    }
    constexpr bool chance(int percent) { return below(100) < percent; }
    template <typename List>
    const auto& pick(const List& list)
    {
        return list[std::size_t(below(int(std::size(list))))];
    }
    template <typename List>
    void shuffle(List& list)
    {
        for (int i = int(list.size()) - 1; i > 0; --i) {
            using std::swap;
            swap(list[std::size_t(i)], list[std::size_t(below(i + 1))]);
        }
    }

private:
    std::uint64_t m_state;
};

}  // namespace inference::mini
