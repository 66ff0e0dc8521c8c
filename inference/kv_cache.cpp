#include "inference/kv_cache.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace inference {

KvCache::KvCache(Shape shape, const at::TensorOptions& options)
    : m_shape(std::move(shape))
    , m_options(options)
    , m_keys(std::size_t(m_shape.layers))
    , m_values(std::size_t(m_shape.layers))
{
}

void KvCache::reserve(int tokens)
{
    if (tokens <= m_capacity) {
        return;
    }
    constexpr int step = 256;
    const int capacity = (tokens + step - 1) / step * step;
    for (std::vector<at::Tensor>* all : {&m_keys, &m_values}) {
        for (std::size_t i = 0; i < all->size(); ++i) {
            at::Tensor& layer = (*all)[i];
            const at::TensorOptions options =
                m_shape.devices.empty() ? m_options : m_options.device(m_shape.devices[i]);
            at::Tensor larger = at::empty({m_shape.kvHeads, capacity, m_shape.headDim}, options);
            if (m_length > 0) {
                larger.narrow(1, 0, m_length).copy_(layer.narrow(1, 0, m_length));
            }
            layer = std::move(larger);
        }
    }
    m_capacity = capacity;
}

std::pair<at::Tensor, at::Tensor> KvCache::append(int layer, const at::Tensor& keys,
                                                  const at::Tensor& values)
{
    const int n = int(keys.size(1));
    if (m_length + n > m_capacity) {
        // All layers move at once; those that have appended already hold n tokens beyond m_length,
        // so this may happen in the first layer only. It does: every layer appends the same n.
        TORCH_INTERNAL_ASSERT(layer == 0);
        reserve(std::max(m_length + n, m_capacity + m_capacity / 2));
    }
    at::Tensor& allKeys = m_keys[std::size_t(layer)];
    at::Tensor& allValues = m_values[std::size_t(layer)];
    allKeys.narrow(1, m_length, n).copy_(keys);
    allValues.narrow(1, m_length, n).copy_(values);
    return {allKeys.narrow(1, 0, m_length + n), allValues.narrow(1, 0, m_length + n)};
}

void KvCache::advance(int n)
{
    TORCH_INTERNAL_ASSERT(n >= 0 && m_length + n <= m_capacity);
    m_length += n;
}

void KvCache::truncate(int length)
{
    TORCH_INTERNAL_ASSERT(length >= 0 && length <= m_length);
    m_length = length;
}

}  // namespace inference
