#include "inference/train/mini_conversations.h"

namespace inference::train {

Request MiniConversations::at(std::int64_t index) const
{
    const mini::Sample sample =
        mini::generate(m_options.seed, std::uint64_t(index), m_options.drawing);
    Request request;
    request.system = m_options.system;
    request.maxTiles = m_options.maxTiles;
    for (const mini::Record& record : sample.records) {
        request.messages.push_back({Role::User, record.question, {}});
        request.messages.push_back({Role::Assistant, mini::reply(record), {}});
    }
    request.messages.front().images.push_back(sample.image);
    return request;
}

std::string MiniConversations::where(std::int64_t index) const
{
    return "picture " + std::to_string(index) + " of seed " + std::to_string(m_options.seed);
}

}  // namespace inference::train
