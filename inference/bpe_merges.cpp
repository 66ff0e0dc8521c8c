#include "inference/bpe_merges.h"

#include <bit>
#include <limits>
#include <queue>

namespace inference {

namespace {

constexpr std::size_t shortWord = 40;  // bytes; below, looking at all pairs again is the quickest

std::uint64_t keyOf(TokenId left, TokenId right)
{
    return std::uint64_t(std::uint32_t(left)) << 32 | std::uint32_t(right);
}

}  // namespace

/// A pair that could be merged; out of date where `left` or `right` have changed since.
struct BpeMerges::Candidate {
    std::int32_t rank = 0;
    std::uint32_t at = 0;
    TokenId left = 0, right = 0, whole = 0;

    bool operator<(const Candidate& other) const  // for a queue that gives the largest first
    {
        return rank != other.rank ? rank > other.rank : at > other.at;
    }
};

BpeMerges::BpeMerges(const std::array<TokenId, 256>& bytes, std::size_t expected)
    : m_bytes(bytes)
{
    m_table.resize(std::bit_ceil(std::max<std::size_t>(expected, 8) * 2));
    m_shift = 64 - std::countr_zero(m_table.size());
}

std::size_t BpeMerges::slot(std::uint64_t pair) const
{
    return std::size_t((pair ^ pair >> 29) * 0x9e3779b97f4a7c15U >> m_shift);
}

void BpeMerges::add(TokenId left, TokenId right, TokenId whole)
{
    const std::uint64_t pair = keyOf(left, right);
    std::size_t at = slot(pair);
    while (m_table[at].pair != empty && m_table[at].pair != pair) {
        at = (at + 1) & (m_table.size() - 1);
    }
    if (m_table[at].pair == empty) {
        m_table[at] = {pair, m_count, whole};
    }
    ++m_count;
}

const BpeMerges::Merge* BpeMerges::find(TokenId left, TokenId right) const
{
    const std::uint64_t pair = keyOf(left, right);
    for (std::size_t at = slot(pair);; at = (at + 1) & (m_table.size() - 1)) {
        const Merge& merge = m_table[at];
        if (merge.pair == pair) {
            return &merge;
        }
        if (merge.pair == empty) {
            return nullptr;
        }
    }
}

void BpeMerges::encode(std::string_view word, std::vector<TokenId>& out) const
{
    if (word.size() == 1) {
        out.push_back(m_bytes[static_cast<unsigned char>(word.front())]);
    } else if (word.size() <= shortWord) {
        encodeShort(word, out);
    } else {
        encodeLong(word, out);
    }
}

void BpeMerges::encodeShort(std::string_view word, std::vector<TokenId>& out) const
{
    constexpr std::int32_t none = std::numeric_limits<std::int32_t>::max();
    struct Part {
        TokenId id = 0, whole = 0;  // `whole`: merged with the next one
        std::int32_t rank = none;
    };
    std::array<Part, shortWord> parts;
    std::size_t count = word.size();
    const auto look = [&](std::size_t i) {
        const Merge* merge = i + 1 < count ? find(parts[i].id, parts[i + 1].id) : nullptr;
        parts[i].rank = merge ? merge->rank : none;
        parts[i].whole = merge ? merge->whole : 0;
    };
    for (std::size_t i = 0; i < count; ++i) {
        parts[i].id = m_bytes[static_cast<unsigned char>(word[i])];
    }
    for (std::size_t i = 0; i < count; ++i) {
        look(i);
    }
    while (count > 1) {
        std::size_t best = 0;
        for (std::size_t i = 1; i + 1 < count; ++i) {
            best = parts[i].rank < parts[best].rank ? i : best;
        }
        if (parts[best].rank == none) {
            break;
        }
        parts[best].id = parts[best].whole;
        --count;
        for (std::size_t i = best + 1; i < count; ++i) {
            parts[i] = parts[i + 1];
        }
        look(best);
        if (best > 0) {
            look(best - 1);
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        out.push_back(parts[i].id);
    }
}

void BpeMerges::encodeLong(std::string_view word, std::vector<TokenId>& out) const
{
    constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
    constexpr TokenId gone = -1;
    struct Part {
        TokenId id = 0;
        std::uint32_t previous = none, next = none;
    };
    std::vector<Part> parts(word.size());
    std::vector<Candidate> initial;
    const auto candidate = [&](std::uint32_t at) {
        const Part& left = parts[at];
        const Merge* merge = find(left.id, parts[left.next].id);
        return merge ? Candidate{merge->rank, at, left.id, parts[left.next].id, merge->whole}
                     : Candidate{-1, at, 0, 0, 0};
    };
    const auto size = std::uint32_t(parts.size());
    for (std::uint32_t i = 0; i < size; ++i) {
        parts[i] = {m_bytes[static_cast<unsigned char>(word[i])], i == 0 ? none : i - 1,
                    i + 1 == size ? none : i + 1};
    }
    for (std::uint32_t i = 0; i + 1 < size; ++i) {
        if (const Candidate one = candidate(i); one.rank >= 0) {
            initial.push_back(one);
        }
    }
    std::priority_queue<Candidate> queue({}, std::move(initial));
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Part& left = parts[best.at];
        if (left.id != best.left || left.next == none || parts[left.next].id != best.right) {
            continue;
        }
        Part& right = parts[left.next];
        left.id = best.whole;
        left.next = right.next;
        right.id = gone;
        if (left.next != none) {
            parts[left.next].previous = best.at;
            if (const Candidate one = candidate(best.at); one.rank >= 0) {
                queue.push(one);
            }
        }
        if (left.previous != none) {
            if (const Candidate one = candidate(left.previous); one.rank >= 0) {
                queue.push(one);
            }
        }
    }
    for (std::uint32_t i = 0; i != none; i = parts[i].next) {
        out.push_back(parts[i].id);
    }
}

}  // namespace inference
