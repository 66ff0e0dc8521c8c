#pragma once

#include "inference/engine.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace inference {

/// The merge table of a byte-level BPE and the merging itself.
class BpeMerges {
public:
    /// `bytes`: the token of each byte.
    explicit BpeMerges(const std::array<TokenId, 256>& bytes, std::size_t expected);

    /// Merges are added by rank, the first one first.
    void add(TokenId left, TokenId right, TokenId whole);

    /// Tokens of one pre-tokenised word, put behind `out`. Time n log n.
    void encode(std::string_view word, std::vector<TokenId>& out) const;

private:
    struct Merge {
        std::uint64_t pair = empty;
        std::int32_t rank = 0;
        TokenId whole = 0;
    };
    struct Candidate;
    static constexpr std::uint64_t empty = ~std::uint64_t(0);

    std::size_t slot(std::uint64_t pair) const;
    const Merge* find(TokenId left, TokenId right) const;
    void encodeShort(std::string_view word, std::vector<TokenId>& out) const;
    void encodeLong(std::string_view word, std::vector<TokenId>& out) const;

    std::array<TokenId, 256> m_bytes;
    std::vector<Merge> m_table;  // open addressing, a power of two, at most half full
    std::int32_t m_count = 0;
    int m_shift = 0;
};

}  // namespace inference
