#pragma once

#include "inference/mini/sample.h"

#include <string>
#include <string_view>
#include <vector>

namespace demo {

/// A drawn picture as large as pictures really come, and what to ask about it.
struct Picture {
    inference::Image image;
    std::string title;  // "CT"
    std::vector<inference::mini::Record> records;
};

/// Drawn for kvl-mini's tiles, then enlarged `scale` times as pictures are in its training.
/// `kinds`: what is asked, in this order, in English; the first picture of the seed, from
/// `firstIndex` on, that can be asked all of it is taken. An answer that must not be is not asked:
/// `with` and `without` are questions for which there is and is not what is asked for.
struct Wish {
    inference::mini::Scene scene;
    std::vector<std::string_view> kinds;
    std::size_t objects = 0;  // at least so many things to be seen
    int scale = 4;
};

/// Deterministic: the same bytes and questions on every machine.
Picture draw(const Wish& wish, std::uint64_t firstIndex);

}  // namespace demo
