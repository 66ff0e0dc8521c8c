#pragma once

#include "inference/engine.h"

#include <cstdint>
#include <functional>
#include <string>

namespace inference::train {

/// Where conversations come from. Any thread.
class Conversations {
public:
    virtual ~Conversations() = default;
    virtual std::int64_t size() const = 0;
    /// A conversation that ends with an answer; the same for the same index, always. Throws an
    /// exception whose message says where the data is wrong.
    virtual Request at(std::int64_t index) const = 0;
    /// Where it stands, for messages: "lungs.jsonl:12".
    virtual std::string where(std::int64_t index) const = 0;
};

/// Opens a picture file. Any thread. Throws an exception whose message is a sentence.
using OpenImage = std::function<Image(const std::string& file)>;

}  // namespace inference::train
