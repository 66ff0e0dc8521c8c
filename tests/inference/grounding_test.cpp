#include "inference/grounding.h"

#include "support/test.h"

#include <chrono>

using namespace inference;

namespace {

const std::vector<ImageSize> one{{1000, 500}};

std::string shown(const std::vector<Box>& boxes)
{
    std::ostringstream out;
    for (const Box& box : boxes) {
        out << box.label << "@" << box.image << ":" << box.x << "," << box.y << "," << box.width
            << "," << box.height << ";";
    }
    return out.str();
}

std::string read(std::string_view text, const std::vector<ImageSize>& images = one)
{
    return shown(parseBoxes(text, images));
}

}  // namespace

// Boxes are [x1, y1, x2, y2] in thousandths of the picture (model specification 9).

TEST(trainedFormGivesLabelAndPixels)
{
    CHECK_EQUAL(read("<ref>left lung</ref><box>[[100, 200, 300, 400]]</box>"),
                "left lung@0:100,100,200,100;");
    CHECK_EQUAL(read("<ref>rib</ref><box>[[0, 0, 10, 10], [20, 20, 30, 40]]</box>"),
                "rib@0:0,0,10,5;rib@0:20,10,10,10;");
    CHECK_EQUAL(
        read("<ref>a</ref><box>[[0, 0, 10, 10]]</box>\n<ref>b</ref><box>[[0, 0, 20, 20]]</box>"),
        "a@0:0,0,10,5;b@0:0,0,20,10;");
}

TEST(shownFormTakesTheWordsBeforeTheBrackets)
{
    CHECK_EQUAL(read("left lung[[100, 200, 300, 400]]"), "left lung@0:100,100,200,100;");
    CHECK_EQUAL(read("Findings:\n- **Polyp**: [[0, 0, 10, 10]]\n2. mass [[0, 0, 20, 20]]."),
                "Polyp@0:0,0,10,5;mass@0:0,0,20,10;");
    CHECK_EQUAL(read("a[[0, 0, 10, 10]], b[[0, 0, 20, 20]]"), "a@0:0,0,10,5;b@0:0,0,20,10;");
    CHECK_EQUAL(read("[[0, 0, 10, 10]]"), "@0:0,0,10,5;");
    CHECK_EQUAL(read("nodule (left): [[0, 0, 10, 10]]"), "nodule (left)@0:0,0,10,5;");
}

TEST(aReferenceEndsWithItsBoxes)
{
    CHECK_EQUAL(read("<ref>a</ref>: <box>[[0,0,10,10]]</box> and b[[0,0,20,20]]"),
                "a@0:0,0,10,5;and b@0:0,0,20,10;");
    CHECK_EQUAL(read("<ref>a</ref>\nb[[0,0,20,20]]"), "b@0:0,0,20,10;");
}

TEST(spacesDecimalsAndMissingBracketsAreForgiven)
{
    const std::string expected = "x@0:100.5,100,199.5,100;";
    for (const char* text :
         {"x[[100.5,200,300,400]]", "x [ [ 100.5 , 200 , 300 , 400 ] ]", "x[100.5, 200, 300, 400]",
          "<ref>x</ref><box>[[100.5 200 300 400", "<ref>x<box>100.5, 200, 300, 400</box>",
          "<ref>x</ref><box>(100.5, 200), (300, 400)</box>"}) {
        CHECK_EQUAL(std::string(text) + read(text), text + expected);
    }
}

TEST(cornersAreOrderedAndClamped)
{
    CHECK_EQUAL(read("x[[300, 400, 100, 200]]"), "x@0:100,100,200,100;");
    CHECK_EQUAL(read("x[[-50, 0, 2000, 1000]]"), "x@0:0,0,1000,500;");
}

TEST(whatMakesNoBoxIsLeftOut)
{
    for (const char* text :
         {"", "no box", "[1, 2, 3]", "[[1, 2, 3, 4, 5]]", "[[a, b, c, d]]", "[[5, 5, 5, 9]]",
          "[[nan, 0, inf, 9]]", "see [1] and [2]", "[[2000, 0, 3000, 9]]", "<ref>x</ref>",
          "<box></box>", "[[[[", "x[[1, 2, 3, 4]]\xff"}) {
        CHECK_EQUAL(std::string(text) + read(text), text);
    }
    CHECK(parseBoxes("x[[1, 2, 3, 4]]", {}).empty());
}

TEST(theLastPictureNamedIsMeant)
{
    const std::vector<ImageSize> two{{1000, 1000}, {100, 100}};
    CHECK_EQUAL(read("x[[0, 0, 10, 10]]", two), "x@0:0,0,10,10;");
    CHECK_EQUAL(read("Image-2: x[[0, 0, 100, 100]]\nImage-1: y[[0, 0, 100, 100]]", two),
                "x@1:0,0,10,10;y@0:0,0,100,100;");
    CHECK_EQUAL(read("in Image-9 x[[0, 0, 100, 100]]", two), "in Image-9 x@0:0,0,100,100;");
}

TEST(adversarialTextTakesLinearTime)
{
    for (const char* part : {"[", "<ref>", "<box>", "[[1,", "[[1,2,3,4]]", "Image-", "a[",
                             "1111111", "<ref>a[1,2,3,", " "}) {
        std::string text;
        while (text.size() < 2000000) {
            text += part;
        }
        const auto begin = std::chrono::steady_clock::now();
        CHECK(parseBoxes(text, one).size() <= 10000);
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    }
}

KVL_TEST_MAIN
