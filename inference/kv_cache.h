#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

namespace inference {

/// Keys and values of every layer, after norm and rotation, for the tokens so far. Grows by itself.
class KvCache {
public:
    struct Shape {
        int layers = 0, kvHeads = 0, headDim = 0;
        std::vector<at::Device> devices = {};  // of each layer; empty: that of the options
    };

    KvCache(Shape shape, const at::TensorOptions& options);

    /// Puts the keys and values [kvHeads, n, headDim] of new tokens behind those there are, and
    /// returns all of the layer as views [kvHeads, length() + n, headDim]. The tokens count only
    /// after advance(), so that work given up half-way leaves no trace.
    std::pair<at::Tensor, at::Tensor> append(int layer, const at::Tensor& keys,
                                             const at::Tensor& values);
    /// Once every layer has appended its n tokens.
    void advance(int n);
    /// Forgets tokens from the end; `length` is at most length().
    void truncate(int length);
    /// Room for so many tokens in all, without another allocation.
    void reserve(int tokens);

    int length() const { return m_length; }
    int capacity() const { return m_capacity; }

private:
    Shape m_shape;
    at::TensorOptions m_options;
    std::vector<at::Tensor> m_keys, m_values;  // [kvHeads, capacity, headDim], a layer each
    int m_length = 0, m_capacity = 0;
};

}  // namespace inference
