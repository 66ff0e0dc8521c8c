#include "inference/train/loader.h"

#include "inference/error.h"

#include <algorithm>
#include <atomic>
#include <optional>

namespace inference::train {

Loader::Loader(const Conversations& conversations, const Learner& learner, const Options& options)
    : m_conversations(conversations)
    , m_learner(learner)
    , m_options(options)
    , m_order(conversations.size(), options.seed)
{
}

Loader::~Loader()
{
    if (m_pending.valid()) {
        m_pending.wait();
    }
}

void Loader::prefetch(std::int64_t number)
{
    std::vector<std::int64_t> indices;
    const auto begin = [&](int rank) { return m_options.perStep * rank / m_options.size; };
    for (std::int64_t i = begin(m_options.rank); i < begin(m_options.rank + 1); ++i) {
        indices.push_back(m_order.at(number * m_options.perStep + i));
    }
    m_pending = std::async(std::launch::async, [this, indices] { return load(indices); });
    m_next = number;
}

Loader::Step Loader::step(std::int64_t number)
{
    if (m_next != number) {
        if (m_pending.valid()) {
            m_pending.wait();
        }
        prefetch(number);
    }
    Step step = m_pending.get();
    prefetch(number + 1);
    return step;
}

Loader::Step Loader::load(std::vector<std::int64_t> indices) const
{
    struct Place {
        std::vector<Example> examples;  // of one item
        std::string fault;
    };
    std::vector<Place> places(indices.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < places.size(); i = next++) {
            try {
                std::vector<Example> examples = m_learner.prepare(m_conversations.at(indices[i]));
                for (const Example& example : examples) {
                    const auto length = std::int64_t(example.ids.size());
                    if (length > m_options.maxLength) {
                        throw Error("The conversation has " + std::to_string(length) +
                                    " tokens where at most " + std::to_string(m_options.maxLength) +
                                    " are allowed; fewer tiles a picture or a larger limit fits.");
                    }
                }
                places[i].examples = std::move(examples);
            } catch (const std::exception& error) {
                places[i].fault = m_conversations.where(indices[i]) + ": " + error.what();
            }
        }
    };
    std::vector<std::future<void>> helpers;
    for (int i = 1; i < std::min(m_options.threads, int(indices.size())); ++i) {
        helpers.push_back(std::async(std::launch::async, work));
    }
    work();
    for (std::future<void>& helper : helpers) {
        helper.get();
    }
    Step step;
    for (Place& place : places) {
        if (place.fault.empty()) {
            step.items.push_back(std::move(place.examples));
        } else if (m_options.skipBad) {
            step.skipped.push_back(std::move(place.fault));
        } else {
            throw Error(place.fault);
        }
    }
    return step;
}

}  // namespace inference::train
