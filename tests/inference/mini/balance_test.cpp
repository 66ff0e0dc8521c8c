#include "inference/mini/grade.h"
#include "inference/mini/sample.h"
#include "support/test.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>

using namespace inference::mini;

namespace {

struct Asked {
    Scene scene;
    Record record;
};

/// What an evaluation asks: the questions of 4,000 pictures, made once.
const std::vector<Asked>& asked()
{
    static const std::vector<Asked> all = [] {
        constexpr int pictures = 4000, threads = 4;
        std::vector<std::vector<Asked>> parts(threads);
        std::vector<std::thread> workers;
        for (int thread = 0; thread < threads; ++thread) {
            workers.emplace_back([&, thread] {
                for (int i = thread; i < pictures; i += threads) {
                    Sample sample = generate(2024, std::uint64_t(i));
                    for (Record& record : sample.records) {
                        parts[std::size_t(thread)].push_back({sample.scene, std::move(record)});
                    }
                }
            });
        }
        std::vector<Asked> joined;
        for (int thread = 0; thread < threads; ++thread) {
            workers[std::size_t(thread)].join();
            joined.insert(joined.end(), parts[std::size_t(thread)].begin(),
                          parts[std::size_t(thread)].end());
        }
        return joined;
    }();
    return all;
}

using Counts = std::map<std::string, int>;

int sum(const Counts& counts)
{
    int total = 0;
    for (const auto& [truth, count] : counts) {
        total += count;
    }
    return total;
}

double share(const Counts& counts, const std::string& truth)
{
    const auto found = counts.find(truth);
    return found == counts.end() ? 0 : double(found->second) / sum(counts);
}

/// Answers by what `key` makes of a question.
template <typename Key>
std::map<std::string, Counts> answersBy(Key&& key)
{
    std::map<std::string, Counts> groups;
    for (const Asked& one : asked()) {
        const std::string group = key(one);
        if (!group.empty()) {
            ++groups[group][one.record.truth];
        }
    }
    return groups;
}

}  // namespace

TEST(noKindCanBeAnsweredWithoutLooking)
{
    Grader grader;
    for (const Asked& one : asked()) {
        grader.add(one.record, one.record.answer);
    }
    const Scores scores = grader.scores();
    CHECK_EQUAL(scores.overall.right, scores.overall.total);
    const std::map<std::string, double> limits{
        {"box", 0.2},    {"count", 0.25},  {"highest", 0.2}, {"inside", 0.42}, {"legend", 0.56},
        {"lowest", 0.2}, {"more", 0.5},    {"panelof", 0.6}, {"panels", 0.6},  {"picture", 0.25},
        {"place", 0.3},  {"refuse", 1.01}, {"side", 0.56},   {"title", 0.5},   {"trend", 0.34},
        {"type", 0.36},  {"value", 0.32},  {"xlabel", 0.5},  {"yesno", 0.55}};
    for (const auto& [kind, prior] : scores.priors) {
        std::printf("       %-8s %5d questions, prior %.3f\n", kind.c_str(),
                    scores.kinds.at(kind).total, prior);
    }
    for (const auto& [kind, prior] : scores.priors) {
        CHECK(limits.contains(kind));
        CHECK(prior <= limits.at(kind));
        CHECK(scores.kinds.at(kind).total > 100);
    }
    CHECK_EQUAL(scores.priors.size(), limits.size());
}

TEST(yesAndNoAreAsFrequent)
{
    const auto all = answersBy(
        [](const Asked& one) { return std::string(one.record.kind == "yesno" ? "all" : ""); });
    const double yes = share(all.at("all"), "yes");
    CHECK(yes > 0.45 && yes < 0.55);
    // ... in each kind of picture, too: within three deviations of a fair coin
    for (const auto& [scene, counts] : answersBy([](const Asked& one) {
             return one.record.kind == "yesno" ? std::string(name(one.scene)) : "";
         })) {
        const double limit = 0.02 + 1.5 / std::sqrt(double(sum(counts)));
        CHECK(std::abs(share(counts, "yes") - 0.5) < limit);
    }
}

namespace {

/// Colours stand for each other.
std::string withoutColours(std::string question)
{
    for (const std::string_view colour : colourNames) {
        for (std::size_t at = question.find(colour); at != std::string::npos;
             at = question.find(colour)) {
            question.replace(at, colour.size(), "*");
        }
    }
    return question;
}

}  // namespace

TEST(noWordingOfAYesOrNoQuestionBetraysItsAnswer)
{
    int groups = 0;
    for (const auto& [question, counts] : answersBy([](const Asked& one) {
             return one.record.kind == "yesno" ? withoutColours(one.record.question) : "";
         })) {
        if (sum(counts) >= 25) {
            const double limit = 0.05 + 1.75 / std::sqrt(double(sum(counts)));
            CHECK(std::abs(share(counts, "yes") - 0.5) < limit);
            ++groups;
        }
    }
    CHECK(groups >= 10);
}

TEST(leftAndRightAreAsFrequentInEveryKindOfPicture)
{
    for (const auto& [scene, counts] : answersBy([](const Asked& one) {
             const bool side = one.record.kind == "side" && one.record.truth != "absent";
             return side ? std::string(name(one.scene)) : "";
         })) {
        const double limit = 0.02 + 1.5 / std::sqrt(double(sum(counts)));
        CHECK(std::abs(share(counts, "left") - 0.5) < limit);
    }
}

TEST(countsAreSpreadEvenlyOverTheirRange)
{
    for (const auto& [scene, counts] : answersBy([](const Asked& one) {
             return one.record.kind == "count" ? std::string(name(one.scene)) : "";
         })) {
        const double even = 1.0 / double(counts.size());
        const double limit = 0.06 + 1.5 / std::sqrt(double(sum(counts)));
        for (const auto& [count, times] : counts) {
            CHECK(std::abs(double(times) / sum(counts) - even) < limit);
        }
        CHECK(counts.size() >= (scene == "endoscopy" || scene == "line chart" ? 4U : 5U));
    }
}

KVL_TEST_MAIN
