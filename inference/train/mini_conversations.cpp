#include "inference/train/mini_conversations.h"

#include "inference/mini/random.h"
#include "inference/resize.h"

namespace inference::train {
namespace {

/// Most are asked as in the training of KVL; the window's preset is a message before the picture.
SystemPrompt drawnSystem(mini::Random& random)
{
    const int share = random.below(100);
    return {share < 75       ? SystemPrompt::Preset::None
                : share < 96 ? SystemPrompt::Preset::Default
                             : SystemPrompt::Preset::Thinking,
            {}};
}

Image enlarged(mini::Random& random, const Image& image)
{
    const double scale = random.real(2, 4.6);
    return resize(image, {int(image.width * scale), int(image.height * scale)},
                  random.chance(50) ? Filter::Bicubic : Filter::Bilinear);
}

void addTurn(Request& request, const mini::Record& record)
{
    request.messages.push_back({Role::User, record.question, {}});
    request.messages.push_back({Role::Assistant, mini::reply(record), {}});
}

}  // namespace

Item MiniConversations::at(std::int64_t index) const
{
    mini::Sample sample = mini::generate(m_options.seed, std::uint64_t(index), m_options.drawing);
    mini::Random random(mini::mixed(m_options.seed) + std::uint64_t(index));
    const bool inTurn = random.chance(25);
    if (random.chance(m_options.enlarged)) {
        sample.image = enlarged(random, sample.image);
    }
    Item item;
    for (const mini::Record& record : sample.records) {
        if (item.conversations.empty() || !inTurn) {
            Request& request = item.conversations.emplace_back();
            request.system = m_options.system ? *m_options.system : drawnSystem(random);
            request.maxTiles = m_options.maxTiles;
        }
        addTurn(item.conversations.back(), record);
    }
    for (Request& request : item.conversations) {
        request.messages.front().images.push_back(sample.image);
    }
    item.objects = std::move(sample.objects);
    return item;
}

std::string MiniConversations::where(std::int64_t index) const
{
    return "picture " + std::to_string(index) + " of seed " + std::to_string(m_options.seed);
}

}  // namespace inference::train
