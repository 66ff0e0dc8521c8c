// grade_demo DEMO.json list                    the questions: number, file, frame, region or -,
// kind,
//                                              question, separated by tabs
// grade_demo DEMO.json answer N TEXT           is the text a right answer to question N?
// grade_demo DEMO.json box N X Y W H WIDTH HEIGHT
//                                              does a box, in pixels of a picture of that size, lie
//                                              on the thing that question N asks for?
// Exit status 0 yes, 1 no, 2 wrong words.
#include "inference/mini/grade.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using inference::mini::Extent;
using inference::mini::Record;
using nlohmann::json;

void list(const json& questions)
{
    for (std::size_t i = 0; i < questions.size(); ++i) {
        const json& one = questions[i];
        std::string region = "-";
        if (one.contains("region")) {
            const auto r = one.at("region").get<std::vector<int>>();
            region = std::to_string(r.at(0)) + "," + std::to_string(r.at(1)) + "," +
                std::to_string(r.at(2)) + "," + std::to_string(r.at(3));
        }
        std::printf("%zu\t%s\t%d\t%s\t%s\t%s\n", i, one.at("file").get<std::string>().c_str(),
                    one.at("frame").get<int>(), region.c_str(),
                    one.at("kind").get<std::string>().c_str(),
                    one.at("question").get<std::string>().c_str());
    }
}

Record recordOf(const json& one)
{
    Record record;
    record.kind = one.at("kind");
    record.question = one.at("question");
    record.answer = one.at("answer");
    for (const auto& box : one.at("boxes").get<std::vector<std::vector<double>>>()) {
        record.boxes.push_back({box.at(0), box.at(1), box.at(2), box.at(3)});
    }
    return record;
}

int grade(const std::vector<std::string>& words)
{
    std::ifstream file(words.at(0));
    const json questions = json::parse(file).at("questions");
    if (words.at(1) == "list") {
        list(questions);
        return 0;
    }
    const Record record = recordOf(questions.at(std::stoul(words.at(2))));
    if (words.at(1) == "answer") {
        const bool right = isRight(record, words.at(3));
        std::printf("%s: \"%s\" to \"%s\", expected \"%s\"\n", right ? "right" : "wrong",
                    words.at(3).c_str(), record.question.c_str(), record.answer.c_str());
        return right ? 0 : 1;
    }
    if (words.at(1) == "box") {
        const auto at = [&](std::size_t i) { return std::stod(words.at(3 + i)); };
        const double x = 100 / at(4), y = 100 / at(5);
        const Extent drawn{at(0) * x, at(1) * y, (at(0) + at(2)) * x, (at(1) + at(3)) * y};
        const double overlap = inference::mini::overlap(drawn, record.boxes.at(0));
        std::printf("overlap %.3f\n", overlap);
        return overlap >= 0.5 ? 0 : 1;
    }
    throw std::invalid_argument("expected list, answer or box");
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        return grade(std::vector<std::string>(argv + 1, argv + argc));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "grade_demo: %s\n", error.what());
        return 2;
    }
}
