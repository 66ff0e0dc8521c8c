#pragma once

#include "inference/mini/sample.h"
#include "inference/train/conversations.h"

namespace inference::train {

/// Drawn as they are needed: a picture of inference/mini with all its questions, in turn.
class MiniConversations : public Conversations {
public:
    struct Options {
        std::int64_t count = 0;  // pictures an epoch
        std::uint64_t seed = 1;  // of the pictures; not that of an evaluation
        SystemPrompt system;
        int maxTiles = 12;
        mini::Options drawing;
    };

    explicit MiniConversations(Options options)
        : m_options(std::move(options))
    {
    }

    std::int64_t size() const override { return m_options.count; }
    Request at(std::int64_t index) const override;
    std::string where(std::int64_t index) const override;

private:
    Options m_options;
};

}  // namespace inference::train
