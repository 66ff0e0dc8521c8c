#pragma once

namespace inference::train {

/// While it lives, matrix products that are trained are computed on a CPU as inference computes
/// them, by oneDNN where MKL is slow (matrix.h), forwards and backwards. With `bf16` their factors
/// are rounded to bf16 and the sums are float32, as bf16 training does; all else stays float32.
/// The process's, not a tensor's: one at a time.
class Products {
public:
    explicit Products(bool bf16);
    ~Products();
    Products(const Products&) = delete;
    Products& operator=(const Products&) = delete;
};

}  // namespace inference::train
