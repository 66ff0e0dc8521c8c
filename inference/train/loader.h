#pragma once

#include "inference/train/conversations.h"
#include "inference/train/learner.h"
#include "inference/train/order.h"

#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <vector>

namespace inference::train {

/// Opens, tiles and encodes the conversations of a step while the step before is computed.
class Loader {
public:
    struct Options {
        std::int64_t perStep = 1;  // items of the data
        int rank = 0, size = 1;    // of them this process's share, in order
        std::uint64_t seed = 0;    // of their order
        int maxLength = 16384;     // tokens
        bool skipBad = false;      // otherwise a conversation that cannot be used is an Error
        int threads = 1;
    };

    Loader(const Conversations& conversations, const Learner& learner, const Options& options);
    ~Loader();
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;

    /// What is left out, where `skipBad` allows it.
    struct Step {
        std::vector<std::vector<Example>> items;  // the conversations of each
        std::vector<std::string> skipped;         // sentences
    };
    /// Step 0, 1, ...; steps asked for in order are ready sooner. Throws Error that says where.
    Step step(std::int64_t number);

private:
    Step load(std::vector<std::int64_t> indices) const;
    void prefetch(std::int64_t number);

    const Conversations& m_conversations;
    const Learner& m_learner;
    Options m_options;
    Order m_order;
    std::int64_t m_next = -1;  // the step in m_pending
    std::future<Step> m_pending;
};

}  // namespace inference::train
