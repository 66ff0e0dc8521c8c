#include "inference/mini/rows.h"

#include "support/test.h"

#include <nlohmann/json.hpp>

using namespace inference::mini;

TEST(aRowIsAConversationAsInternVlReadsItWithItsTruth)
{
    Options options;
    options.scenes = {Scene::Ct};
    options.allQuestions = true;
    for (std::uint64_t i = 0; i < 5; ++i) {
        const Sample sample = generate(8, i, options);
        for (const Record& record : sample.records) {
            const auto row =
                nlohmann::json::parse(conversationRow(sample, record, "images/000008.png", "8-0"));
            CHECK_EQUAL(row["image"].get<std::string>(), std::string("images/000008.png"));
            CHECK_EQUAL(row["width"].get<int>(), sample.image.width);
            CHECK_EQUAL(row["conversations"].size(), 2U);
            CHECK_EQUAL(row["conversations"][0]["from"].get<std::string>(), std::string("human"));
            CHECK_EQUAL(row["conversations"][0]["value"].get<std::string>(),
                        "<image>\n" + record.question);
            CHECK_EQUAL(row["conversations"][1]["from"].get<std::string>(), std::string("gpt"));
            CHECK_EQUAL(row["conversations"][1]["value"].get<std::string>(), reply(record));
            CHECK_EQUAL(row["truth"]["scene"].get<std::string>(), std::string("CT"));
            CHECK_EQUAL(row["truth"]["kind"].get<std::string>(), record.kind);
            CHECK_EQUAL(row["truth"]["objects"].size(), sample.objects.size());
            CHECK_EQUAL(row["truth"]["boxes"].size(), record.boxes.size());
        }
    }
}

KVL_TEST_MAIN
