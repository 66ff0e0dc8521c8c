#include "inference/mini/grade.h"

#include "support/test.h"

#include <cmath>

using namespace inference::mini;

namespace {

Record words(const std::string& answer)
{
    return {"count", "?", "", answer, answer, {}};
}

Record box(const Extent& extent)
{
    return {"box", "?", "", "", "box", {extent}};
}

}  // namespace

TEST(capitalsPunctuationAndSpacesDoNotMatter)
{
    CHECK(isRight(words("There is no legend."), "there is  no legend"));
    CHECK(isRight(words("upper left"), "\n**Upper left.**\n"));
    CHECK(isRight(words("3"), "3."));
    CHECK(isRight(words("grün"), "Grün"));
}

TEST(otherWordsAndNumbersAreWrong)
{
    CHECK(!isRight(words("3"), "13"));
    CHECK(!isRight(words("3"), "3 4"));
    CHECK(!isRight(words("3"), "-3"));
    CHECK(!isRight(words("25"), "2.5"));
    CHECK(!isRight(words("upper left"), "upper right"));
    CHECK(!isRight(words("left"), "left or right"));
    CHECK(!isRight(words("left"), ""));
    CHECK(!isRight(words("yes"), "There is no yes"));
}

TEST(reasoningIsNotTheAnswer)
{
    CHECK(isRight(words("2"), "<think>at 31 44 size 12. count 3.</think>\n2"));
    CHECK(!isRight(words("3"), "<think>3</think>\n2"));
    CHECK(!isRight(words("3"), "<think>3</think>"));
}

TEST(aBoxIsRightFromHalfOverlapOn)
{
    const Record record = box({20, 20, 40, 40});
    CHECK(isRight(record, "<ref>spot</ref><box>[[200, 200, 400, 400]]</box>"));
    CHECK(isRight(record, "spot[[200, 200, 400, 400]]"));
    // half as wide: exactly 0.5
    CHECK(isRight(record, "<box>[[200, 200, 300, 400]]</box>"));
    CHECK(!isRight(record, "<box>[[200, 200, 299, 400]]</box>"));
    CHECK(!isRight(record, "<box>[[600, 600, 800, 800]]</box>"));
    CHECK(!isRight(record, "upper left"));
    // a second box is a guess
    CHECK(!isRight(record, "<box>[[200, 200, 400, 400], [0, 0, 900, 900]]</box>"));
}

TEST(overlapIsIntersectionOverUnion)
{
    // 10 x 10 in both, 20 x 20 each: 100 / (400 + 400 - 100)
    CHECK(std::fabs(overlap({0, 0, 20, 20}, {10, 10, 30, 30}) - 1.0 / 7) < 1e-12);
    CHECK_EQUAL(overlap({0, 0, 20, 20}, {20, 0, 30, 20}), 0.0);
    CHECK_EQUAL(overlap({1, 2, 3, 4}, {1, 2, 3, 4}), 1.0);
}

TEST(scoresAreCountedByKindAndTheirPriorIsTheBestBlindAnswer)
{
    Grader grader;
    const auto add = [&](const std::string& truth, const std::string& given) {
        grader.add(words(truth), given);
    };
    add("1", "1");
    add("1", "2");
    add("1", "1");
    add("2", "2");
    const Extent places[] = {{0, 0, 10, 10}, {1, 0, 11, 10}, {50, 50, 60, 60}};
    for (const Extent& place : places) {
        grader.add(box(place), "<box>[[0, 0, 100, 100]]</box>");
    }
    const Scores scores = grader.scores();
    CHECK_EQUAL(scores.kinds.at("count").right, 3);
    CHECK_EQUAL(scores.kinds.at("count").total, 4);
    CHECK_EQUAL(scores.priors.at("count"), 0.75);
    CHECK_EQUAL(scores.boxes.right, 2);
    CHECK_EQUAL(scores.boxes.total, 3);
    CHECK(std::fabs(scores.priors.at("box") - 2.0 / 3) < 1e-12);
    CHECK_EQUAL(scores.overall.right, 5);
    CHECK_EQUAL(scores.overall.total, 7);
    CHECK(std::fabs(scores.prior - 5.0 / 7) < 1e-12);
}

KVL_TEST_MAIN
