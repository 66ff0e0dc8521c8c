#pragma once

#include "inference/mini/sample.h"
#include "inference/train/conversations.h"

#include <optional>

namespace inference::train {

/// Drawn as they are needed: a picture of inference/mini with its questions. Three pictures of four
/// are asked each question on its own, with one look at the picture; the others all in turn.
class MiniConversations : public Conversations {
public:
    struct Options {
        std::int64_t count = 0;  // pictures an epoch
        std::uint64_t seed = 1;  // of the pictures; not that of an evaluation
        /// Without one: none, that of the window and that which asks for reasoning, in turn.
        std::optional<SystemPrompt> system;
        int maxTiles = 12;
        /// Of so many percent of the pictures two to four times as many pixels come, as slices and
        /// figures have, so that they become several tiles.
        int enlarged = 12;
        mini::Options drawing;
    };

    explicit MiniConversations(Options options)
        : m_options(std::move(options))
    {
    }

    std::int64_t size() const override { return m_options.count; }
    Item at(std::int64_t index) const override;
    std::string where(std::int64_t index) const override;

private:
    Options m_options;
};

}  // namespace inference::train
