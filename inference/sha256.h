#pragma once

#include "inference/image.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace inference {

/// SHA-256 (FIPS 180-4) of data that comes in parts.
class Sha256 {
public:
    void add(const void* data, std::size_t size);
    void add(std::string_view bytes) { add(bytes.data(), bytes.size()); }
    /// 64 lower-case hexadecimal digits. Ends the sum: add() must not follow.
    std::string hex();

private:
    void compress(const std::uint8_t* block);

    std::array<std::uint32_t, 8> m_state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::uint8_t, 64> m_block{};
    std::size_t m_filled = 0;   // bytes waiting in m_block
    std::uint64_t m_total = 0;  // bytes added
};

std::string sha256Hex(std::string_view bytes);

/// A picture's samples, row by row, whatever lies between the rows.
void addPixels(Sha256& sum, const Image& image);

}  // namespace inference
