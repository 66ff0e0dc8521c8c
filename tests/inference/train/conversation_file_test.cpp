#include "inference/train/conversation_file.h"

#include "inference/error.h"
#include "support/seeded_image.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <fstream>

using namespace inference;
using namespace inference::train;

namespace {

/// A folder with rows.jsonl and two files that stand for pictures.
struct Rows {
    explicit Rows(const std::string& text)
    {
        std::ofstream(folder.path() / "a.png") << "a";
        std::ofstream(folder.path() / "b.png") << "b";
        std::ofstream(folder.path() / "rows.jsonl") << text;
    }
    ConversationFile read() const
    {
        ConversationFile::Options options;
        options.system.preset = SystemPrompt::Preset::None;
        options.openImage = [](const std::string& file) {
            return test::seededImage(file.ends_with("a.png") ? 10 : 20, 5);
        };
        return {folder.path() / "rows.jsonl", std::move(options)};
    }
    test::TemporaryFolder folder;
};

std::string faultOf(const std::string& row)
{
    const ConversationFile file = Rows(row).read();
    CHECK_EQUAL(file.size(), std::int64_t(0));
    CHECK_EQUAL(file.badRows().size(), std::size_t(1));
    CHECK(file.badRows().front().where.ends_with("rows.jsonl:1"));
    return file.badRows().front().what;
}

void checkFault(const std::string& row, const std::string& part)
{
    const std::string found = faultOf(row);
    if (found.find(part) == std::string::npos) {
        test::fail(__FILE__, __LINE__, found + "\n    expected in it: " + part);
    }
}

}  // namespace

TEST(rowsOfInternVlAndOfSwiftAreTheSameConversation)
{
    const Rows rows(
        R"({"id": 1, "image": ["a.png", "b.png"], "conversations": [{"from": "system", "value": "S"}, {"from": "human", "value": "<image>\nQ1"}, {"from": "gpt", "value": "A1"}, {"from": "human", "value": "<image> Q2"}, {"from": "gpt", "value": "A2"}]})"
        "\n\n"
        R"({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "<image>\nQ1"}, {"role": "assistant", "content": "A1"}, {"role": "user", "content": "<image> Q2"}, {"role": "assistant", "content": "A2"}], "images": ["a.png", {"path": "b.png"}]})");
    const ConversationFile file = rows.read();
    CHECK_EQUAL(file.size(), std::int64_t(2));
    CHECK(file.badRows().empty());
    CHECK(file.where(1).ends_with("rows.jsonl:3"));
    for (const std::int64_t i : {0, 1}) {
        const Request request = file.at(i).conversations.front();
        CHECK_EQUAL(request.system.text, std::string("S"));
        CHECK_EQUAL(request.messages.size(), std::size_t(4));
        CHECK_EQUAL(request.messages[2].text, std::string("<image> Q2"));
        CHECK(request.messages[3].role == Role::Assistant);
        CHECK_EQUAL(request.messages[0].images.at(0).width, 10);
        CHECK_EQUAL(request.messages[2].images.at(0).width, 20);
    }
}

TEST(picturesWithoutMarksBelongToTheFirstQuestion)
{
    const Request request =
        Rows(
            R"({"image": "a.png", "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]})")
            .read()
            .at(0)
            .conversations.front();
    CHECK_EQUAL(request.messages.front().images.size(), std::size_t(1));
    CHECK(request.system.preset == SystemPrompt::Preset::None);
}

TEST(badRowsAreNamedByLineWithWhatWasFoundAndExpected)
{
    const std::string good =
        R"({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]})";
    const ConversationFile file = Rows(good + "\n{\n" + good + "\n").read();
    CHECK_EQUAL(file.size(), std::int64_t(2));
    CHECK_EQUAL(file.badRows().size(), std::size_t(1));
    CHECK(file.badRows().front().where.ends_with("rows.jsonl:2"));

    checkFault("[1]", "no JSON object");
    checkFault("{}", "no list \"conversations\"");
    checkFault(R"({"messages": [{"role": "user"}]})",
               "Message 1 of \"messages\" has no \"content\"");
    checkFault(R"({"messages": [{"role": "user", "content": 3}]})",
               "is number where a text is expected");
    checkFault(R"({"messages": [{"role": "assistant", "content": "A"}]})",
               "Message 1 is of \"assistant\" where a question");
    checkFault(
        R"({"messages": [{"role": "user", "content": "Q"}, {"role": "user", "content": "Q"}]})",
        "Message 2 is of \"user\" where an answer");
    checkFault(R"({"messages": [{"role": "user", "content": "Q"}]})", "ends with a question");
    checkFault(
        R"({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": ""}]})",
        "Message 2 is empty");
    const std::string turns =
        R"("messages": [{"role": "user", "content": "<image>Q"}, {"role": "assistant", "content": "A"}])";
    checkFault("{" + turns + "}", "1 <image> marks and 0 pictures");
    checkFault("{\"images\": [\"c.png\"], " + turns + "}", "c.png does not exist");
    checkFault("{\"images\": [3], " + turns + "}", "holds 3 where the name of a file");
}

TEST(aFileThatIsMissingIsRefused)
{
    CHECK_THROWS(Error, ConversationFile("/nowhere/rows.jsonl", {}), "cannot be read");
}

KVL_TEST_MAIN
