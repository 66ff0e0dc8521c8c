#include "inference/resize_weights.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstring>
#include <immintrin.h>

// sum(sample * weight) in 32 bits is sum(sample * high) * 4096 + sum(sample * low), each a 16-bit
// multiply-and-add; the sums may wrap around, their total modulo 2^32 is right.
namespace inference::resizing {

namespace {

#define KVL_AVX2 __attribute__((target("avx2")))
#define KVL_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

/// Four pixels R0 G0 B0 R1 ... to pairs R0 R1 G0 G1 B0 B1 R2 R3 G2 G3 B2 B3.
KVL_AVX2_INLINE __m256i pairOrder()
{
    return _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11, -1, -1, -1, -1));
}

/// Turns 4 pixels of 16 rows into 6 vectors of 16 rows * 2 samples; 16 bytes are read of each row.
KVL_AVX2_INLINE void packFour(const std::uint8_t* const* rows, std::ptrdiff_t at, std::uint8_t* out)
{
    const __m256i order = pairOrder();
    __m256i a[8];
    for (std::size_t i = 0; i < 8; ++i) {
        const __m128i upper = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i] + at));
        const __m128i lower = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i + 8] + at));
        a[i] = _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(upper), lower, 1),
                                   order);
    }
    __m256i b[8], c[8];
    for (std::size_t i = 0; i < 4; ++i) {
        b[i] = _mm256_unpacklo_epi16(a[2 * i], a[2 * i + 1]);
        b[i + 4] = _mm256_unpackhi_epi16(a[2 * i], a[2 * i + 1]);
    }
    for (std::size_t i = 0; i < 2; ++i) {
        c[i] = _mm256_unpacklo_epi32(b[2 * i], b[2 * i + 1]);
        c[i + 2] = _mm256_unpackhi_epi32(b[2 * i], b[2 * i + 1]);
        c[i + 4] = _mm256_unpacklo_epi32(b[2 * i + 4], b[2 * i + 5]);
    }
    auto* vectors = reinterpret_cast<__m256i*>(out);
    _mm256_storeu_si256(vectors + 0, _mm256_unpacklo_epi64(c[0], c[1]));
    _mm256_storeu_si256(vectors + 1, _mm256_unpackhi_epi64(c[0], c[1]));
    _mm256_storeu_si256(vectors + 2, _mm256_unpacklo_epi64(c[2], c[3]));
    _mm256_storeu_si256(vectors + 3, _mm256_unpackhi_epi64(c[2], c[3]));
    _mm256_storeu_si256(vectors + 4, _mm256_unpacklo_epi64(c[4], c[5]));
    _mm256_storeu_si256(vectors + 5, _mm256_unpackhi_epi64(c[4], c[5]));
}

KVL_AVX2_INLINE __m256i finished(__m256i low, __m256i high)
{
    const __m256i sum =
        _mm256_add_epi32(_mm256_add_epi32(low, _mm256_slli_epi32(high, PairedWeights::splitBits)),
                         _mm256_set1_epi32(rounding));
    return _mm256_srai_epi32(sum, precisionBits);
}

/// Rows 0..7 and 8..15 of a column to 16 bytes.
KVL_AVX2_INLINE void storeColumn(__m256i upper, __m256i lower, std::uint8_t* out)
{
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(upper, lower), 0xD8);
    const __m128i bytes =
        _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
}

/// 16 columns of 16 bytes to rows.
KVL_AVX2_INLINE void turn(const std::uint8_t* columns, std::uint8_t* const* rows, std::size_t at,
                          int count)
{
    __m128i a[16], b[16];
    for (std::size_t i = 0; i < 16; ++i) {
        a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(columns) + i);
    }
    // Four perfect shuffles of vectors i and i + 8 turn a 16 x 16 matrix.
    for (int stage = 0; stage < 2; ++stage) {
        for (std::size_t i = 0; i < 8; ++i) {
            b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + 8]);
            b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + 8]);
        }
        for (std::size_t i = 0; i < 8; ++i) {
            a[2 * i] = _mm_unpacklo_epi8(b[i], b[i + 8]);
            a[2 * i + 1] = _mm_unpackhi_epi8(b[i], b[i + 8]);
        }
    }
    for (std::size_t i = 0; i < std::size_t(count); ++i) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(rows[i] + at), a[i]);
    }
}

}  // namespace

KVL_AVX2 void packRows(const std::uint8_t* const* rows, int width, std::uint8_t* packed)
{
    constexpr std::ptrdiff_t vector = 32;
    int x = 0;
    for (; 3 * (x + 4) + 4 <= 3 * width; x += 4, packed += 6 * vector) {
        packFour(rows, std::ptrdiff_t(3) * x, packed);
    }
    for (; x < width; x += 4) {
        const int pixels = std::min(4, width - x);
        std::uint8_t ends[blockRows][16] = {};
        const std::uint8_t* pointers[blockRows];
        for (int i = 0; i < blockRows; ++i) {
            std::memcpy(ends[i], rows[i] + std::ptrdiff_t(3) * x, std::size_t(pixels) * 3);
            pointers[i] = ends[i];
        }
        std::uint8_t last[6 * vector];
        packFour(pointers, 0, last);
        const std::size_t bytes = std::size_t(pixels + 1) / 2 * 3 * std::size_t(vector);
        std::memcpy(packed, last, bytes);
        packed += bytes;
    }
}

KVL_AVX2 void mixColumns(const std::uint8_t* packed, const PairedWeights& weights,
                         std::uint8_t* const* rows, int count)
{
    alignas(16) std::uint8_t columns[(16 + 3) * blockRows];
    int waiting = 0;  // columns not written yet
    std::size_t written = 0;
    for (const PairedWeights::Span& span : weights.spans) {
        const std::uint8_t* in = packed + std::ptrdiff_t(span.first) * 3 * 32;
        const PairedWeights::Word* word = weights.words.data() + span.offset;
        __m256i low[3][2], high[3][2];
        for (int c = 0; c < 3; ++c) {
            for (int half = 0; half < 2; ++half) {
                low[c][half] = high[c][half] = _mm256_setzero_si256();
            }
        }
        for (int k = 0; k < span.count; ++k, in += 96) {
            const __m256i lowWord = _mm256_set1_epi32(int(word[k].low));
            const __m256i highWord = _mm256_set1_epi32(int(word[k].high));
            for (int c = 0; c < 3; ++c) {
                for (int half = 0; half < 2; ++half) {
                    const __m256i samples = _mm256_cvtepu8_epi16(_mm_loadu_si128(
                        reinterpret_cast<const __m128i*>(in) + std::ptrdiff_t(2) * c + half));
                    low[c][half] =
                        _mm256_add_epi32(low[c][half], _mm256_madd_epi16(samples, lowWord));
                    high[c][half] =
                        _mm256_add_epi32(high[c][half], _mm256_madd_epi16(samples, highWord));
                }
            }
        }
        for (int c = 0; c < 3; ++c) {
            storeColumn(finished(low[c][0], high[c][0]), finished(low[c][1], high[c][1]),
                        columns + std::ptrdiff_t(waiting + c) * blockRows);
        }
        waiting += 3;
        if (waiting >= 16) {
            turn(columns, rows, written, count);
            written += 16;
            waiting -= 16;
            std::memcpy(columns, columns + std::ptrdiff_t(16) * blockRows,
                        std::size_t(waiting) * blockRows);
        }
    }
    for (int i = 0; i < waiting; ++i) {
        for (int row = 0; row < count; ++row) {
            rows[row][written + std::size_t(i)] = columns[std::ptrdiff_t(i) * blockRows + row];
        }
    }
}

namespace {

/// 32 bytes of an output row.
KVL_AVX2_INLINE __m256i mixThirtyTwo(const std::uint8_t* source, std::ptrdiff_t stride, int height,
                                     const PairedWeights::Word* word,
                                     const PairedWeights::Span& span)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i low[4] = {zero, zero, zero, zero}, high[4] = {zero, zero, zero, zero};
    for (int k = 0; k < span.count; ++k) {
        const int y = 2 * (span.first + k);
        const std::uint8_t* first = source + y * stride;
        const std::uint8_t* second = y + 1 < height ? first + stride : first;
        const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(first));
        const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(second));
        const __m256i left = _mm256_unpacklo_epi8(a, b), right = _mm256_unpackhi_epi8(a, b);
        const __m256i samples[4] = {
            _mm256_unpacklo_epi8(left, zero), _mm256_unpackhi_epi8(left, zero),
            _mm256_unpacklo_epi8(right, zero), _mm256_unpackhi_epi8(right, zero)};
        const __m256i lowWord = _mm256_set1_epi32(int(word[k].low));
        const __m256i highWord = _mm256_set1_epi32(int(word[k].high));
        for (int i = 0; i < 4; ++i) {
            low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(samples[i], lowWord));
            high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(samples[i], highWord));
        }
    }
    const __m256i left = _mm256_packs_epi32(finished(low[0], high[0]), finished(low[1], high[1]));
    const __m256i right = _mm256_packs_epi32(finished(low[2], high[2]), finished(low[3], high[3]));
    return _mm256_packus_epi16(left, right);
}

}  // namespace

KVL_AVX2 void mixRows(const Image& image, const PairedWeights& weights, int row, std::uint8_t* out,
                      std::size_t bytes)
{
    const std::uint8_t* source = image.pixels.get();
    const std::ptrdiff_t stride = image.stride;
    const int height = image.height;
    const PairedWeights::Span& span = weights.spans[std::size_t(row)];
    const PairedWeights::Word* word = weights.words.data() + span.offset;
    std::size_t at = 0;
    for (; at + 32 <= bytes; at += 32) {
        const __m256i mixed = mixThirtyTwo(source + at, stride, height, word, span);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + at), mixed);
    }
    for (; at < bytes; ++at) {
        std::uint32_t low = 0, high = 0;
        for (int k = 0; k < span.count; ++k) {
            const int y = 2 * (span.first + k);
            const std::uint32_t a = source[y * stride + std::ptrdiff_t(at)];
            const std::uint32_t b =
                y + 1 < height ? source[(y + 1) * stride + std::ptrdiff_t(at)] : 0;
            const auto part = [](std::uint32_t both) { return std::uint32_t(std::int16_t(both)); };
            low += a * part(word[k].low) + b * part(word[k].low >> 16);
            high += a * part(word[k].high) + b * part(word[k].high >> 16);
        }
        const auto sum = std::int32_t(low + (high << PairedWeights::splitBits) + rounding);
        out[at] = std::uint8_t(std::clamp(sum >> precisionBits, 0, 255));
    }
}

}  // namespace inference::resizing

#endif
