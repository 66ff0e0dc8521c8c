#include "inference/train/mini_conversations.h"

#include "support/test.h"

#include <cstring>
#include <set>

using namespace inference;
using namespace inference::train;

namespace {

MiniConversations::Options options()
{
    MiniConversations::Options options;
    options.count = 60;
    options.drawing.tile = 112;
    return options;
}

}  // namespace

TEST(aPictureIsAskedAllItsQuestionsAndIsTheSameAnyTime)
{
    const MiniConversations all(options());
    std::set<std::string> answers;
    for (std::int64_t i = 0; i < all.size(); ++i) {
        const Item item = all.at(i), again = all.at(i);
        std::size_t questions = 0;
        CHECK_EQUAL(item.conversations.size(), again.conversations.size());
        for (std::size_t c = 0; c < item.conversations.size(); ++c) {
            const auto &one = item.conversations[c].messages,
                       &same = again.conversations[c].messages;
            CHECK(one.size() >= 2 && one.size() % 2 == 0);
            CHECK(one.back().role == Role::Assistant);
            CHECK_EQUAL(one.front().images.size(), std::size_t(1));
            for (std::size_t k = 0; k < one.size(); ++k) {
                CHECK(!one[k].text.empty());
                CHECK_EQUAL(one[k].text, same[k].text);
            }
            const Image &a = one.front().images[0], &b = same.front().images[0];
            CHECK_EQUAL(a.width, b.width);
            CHECK(std::memcmp(a.row(a.height / 2), b.row(b.height / 2), std::size_t(a.width) * 3) ==
                  0);
            answers.insert(one[1].text);
            questions += one.size() / 2;
        }
        const mini::Sample sample =
            mini::generate(options().seed, std::uint64_t(i), options().drawing);
        CHECK_EQUAL(questions, sample.records.size());
        CHECK_EQUAL(item.objects.size(), sample.objects.size());
    }
    CHECK(answers.size() > 15);
}

TEST(someArePartsOfOneConversationSomeEnlargedSomeUnderASystemMessage)
{
    MiniConversations::Options many = options();
    many.count = 400;
    const MiniConversations all(many);
    int inTurn = 0, asked = 0, large = 0, withSystem = 0;
    for (std::int64_t i = 0; i < all.size(); ++i) {
        const Item item = all.at(i);
        const Request& first = item.conversations.front();
        inTurn += first.messages.size() > 2 ? 1 : 0;
        asked += item.conversations.size() > 1 ? 1 : 0;
        large += first.messages.front().images[0].width > 290 ? 1 : 0;
        withSystem += first.system.preset != SystemPrompt::Preset::None ? 1 : 0;
    }
    CHECK(inTurn > 60 && inTurn < 130);  // a quarter, where there is more than one question
    CHECK(asked > 200);
    CHECK(large > 15 && large < 60);
    CHECK(withSystem > 60 && withSystem < 140);
}

TEST(aSystemMessageThatIsAskedForIsUnderAll)
{
    MiniConversations::Options one = options();
    one.system = SystemPrompt{SystemPrompt::Preset::Thinking, {}};
    for (std::int64_t i = 0; i < 20; ++i) {
        for (const Request& request : MiniConversations(one).at(i).conversations) {
            CHECK(request.system.preset == SystemPrompt::Preset::Thinking);
        }
    }
}

KVL_TEST_MAIN
