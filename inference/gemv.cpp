#include "inference/gemv.h"

#include <ATen/Parallel.h>

#include <bit>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace inference {

#if defined(__x86_64__)
namespace {

// The loops run over one row at a time with four sums: the hardware prefetcher likes a single
// stream, and four sums hide the latency of the multiply-add.

__attribute__((target("avx512f"))) __m512 load512(const float* from)
{
    return _mm512_loadu_ps(from);
}

__attribute__((target("avx512f"))) __m512 load512(const std::uint16_t* from)
{
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

__attribute__((target("avx2,fma"))) __m256 load256(const float* from)
{
    return _mm256_loadu_ps(from);
}

__attribute__((target("avx2,fma"))) __m256 load256(const std::uint16_t* from)
{
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

float toFloat(float value)
{
    return value;
}

float toFloat(std::uint16_t bits)
{
    return std::bit_cast<float>(std::uint32_t(bits) << 16);
}

void store(float value, float* to)
{
    *to = value;
}

void store(float value, std::uint16_t* to)
{
    const auto bits = std::bit_cast<std::uint32_t>(value);
    *to = value != value ? std::uint16_t(0x7fc0)
                         : std::uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

template <typename T>
__attribute__((target("avx512f"))) float dot512(const T* weight, const float* x, std::int64_t n)
{
    __m512 a = _mm512_setzero_ps(), b = a, c = a, d = a;
    std::int64_t i = 0;
    for (; i + 64 <= n; i += 64) {
        a = _mm512_fmadd_ps(load512(weight + i), load512(x + i), a);
        b = _mm512_fmadd_ps(load512(weight + i + 16), load512(x + i + 16), b);
        c = _mm512_fmadd_ps(load512(weight + i + 32), load512(x + i + 32), c);
        d = _mm512_fmadd_ps(load512(weight + i + 48), load512(x + i + 48), d);
    }
    float sum = _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d)));
    for (; i < n; ++i) {
        sum += toFloat(weight[i]) * x[i];
    }
    return sum;
}

template <typename T>
__attribute__((target("avx2,fma"))) float dot256(const T* weight, const float* x, std::int64_t n)
{
    __m256 a = _mm256_setzero_ps(), b = a, c = a, d = a;
    std::int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        a = _mm256_fmadd_ps(load256(weight + i), load256(x + i), a);
        b = _mm256_fmadd_ps(load256(weight + i + 8), load256(x + i + 8), b);
        c = _mm256_fmadd_ps(load256(weight + i + 16), load256(x + i + 16), c);
        d = _mm256_fmadd_ps(load256(weight + i + 24), load256(x + i + 24), d);
    }
    const __m256 four = _mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d));
    alignas(32) float lanes[8];
    _mm256_store_ps(lanes, four);
    float sum = 0;
    for (const float lane : lanes) {
        sum += lane;
    }
    for (; i < n; ++i) {
        sum += toFloat(weight[i]) * x[i];
    }
    return sum;
}

bool hasAvx512()
{
    static const bool has = __builtin_cpu_supports("avx512f");
    return has;
}

template <typename T>
void multiplyRows(const T* weight, const T* bias, const float* x, T* y, std::int64_t rows,
                  std::int64_t columns)
{
    constexpr std::int64_t worthAThread = 32768;  // multiplications
    const auto dot = hasAvx512() ? &dot512<T> : &dot256<T>;
    at::parallel_for(
        0, rows, worthAThread / columns + 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                store(dot(weight + row * columns, x, columns) + (bias ? toFloat(bias[row]) : 0.0F),
                      y + row);
            }
        });
}

}  // namespace

bool canMultiply()
{
    static const bool can =
        hasAvx512() || (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
    return can;
}

void multiply(const float* weight, const float* bias, const float* x, float* y, std::int64_t rows,
              std::int64_t columns)
{
    multiplyRows(weight, bias, x, y, rows, columns);
}

void multiply(const std::uint16_t* weight, const std::uint16_t* bias, const std::uint16_t* x,
              std::uint16_t* y, std::int64_t rows, std::int64_t columns)
{
    std::vector<float> wide(static_cast<std::size_t>(columns));
    for (std::int64_t i = 0; i < columns; ++i) {
        wide[std::size_t(i)] = toFloat(x[i]);
    }
    multiplyRows(weight, bias, wide.data(), y, rows, columns);
}

#else

bool canMultiply()
{
    return false;
}

void multiply(const float*, const float*, const float*, float*, std::int64_t, std::int64_t) { }

void multiply(const std::uint16_t*, const std::uint16_t*, const std::uint16_t*, std::uint16_t*,
              std::int64_t, std::int64_t)
{
}

#endif

}  // namespace inference
