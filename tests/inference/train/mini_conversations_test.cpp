#include "inference/train/mini_conversations.h"

#include "support/test.h"

#include <cstring>
#include <set>

using namespace inference;
using namespace inference::train;

TEST(aPictureIsAskedAllItsQuestionsAndIsTheSameAnyTime)
{
    MiniConversations::Options options;
    options.count = 30;
    options.drawing.tile = 112;
    const MiniConversations all(options);
    std::set<std::string> answers;
    for (std::int64_t i = 0; i < all.size(); ++i) {
        const Request one = all.at(i), again = all.at(i);
        CHECK(one.messages.size() >= 2 && one.messages.size() % 2 == 0);
        CHECK_EQUAL(one.messages.front().images.size(), std::size_t(1));
        CHECK(one.messages.back().role == Role::Assistant);
        for (std::size_t k = 0; k < one.messages.size(); ++k) {
            CHECK(!one.messages[k].text.empty());
            CHECK_EQUAL(one.messages[k].text, again.messages[k].text);
        }
        const Image &a = one.messages.front().images[0], &b = again.messages.front().images[0];
        CHECK_EQUAL(a.width, b.width);
        CHECK(std::memcmp(a.row(a.height / 2), b.row(b.height / 2), std::size_t(a.width) * 3) == 0);
        answers.insert(one.messages[1].text);
    }
    CHECK(answers.size() > 15);
}

KVL_TEST_MAIN
