#pragma once

#include "inference/engine.h"
#include "inference/mini/sample.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace inference::train {

/// What is learnt with one look at its pictures.
struct Item {
    /// Each ends with an answer; all have the pictures of the first.
    std::vector<Request> conversations;
    /// What the picture shows, where that is known, for the dense warm-up of the tower.
    std::vector<mini::Object> objects;
};

/// Where conversations come from. Any thread.
class Conversations {
public:
    virtual ~Conversations() = default;
    virtual std::int64_t size() const = 0;
    /// The same for the same index, always. Throws an exception whose message says where the data
    /// is wrong.
    virtual Item at(std::int64_t index) const = 0;
    /// Where it stands, for messages: "lungs.jsonl:12".
    virtual std::string where(std::int64_t index) const = 0;
};

/// Opens a picture file. Any thread. Throws an exception whose message is a sentence.
using OpenImage = std::function<Image(const std::string& file)>;

}  // namespace inference::train
