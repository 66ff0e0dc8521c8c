#pragma once

#include "inference/mini/sample.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace inference::mini {

/// Intersection over union.
double overlap(const Extent& a, const Extent& b);

/// Whether the text answers the question: the same words (capitals, punctuation and spaces aside,
/// reasoning left out), or, where a box is asked for, one box with an overlap of at least 0.5.
bool isRight(const Record& record, std::string_view text);

struct Tally {
    int right = 0, total = 0;

    double share() const { return total > 0 ? double(right) / total : 0; }
};

/// What an evaluation found.
struct Scores {
    Tally overall;
    std::map<std::string, Tally> kinds;
    Tally boxes;  // of the questions whose right answer is a box
    /// What the best answer given to every question of the kind without looking at the picture
    /// would reach; 1 for "refuse", whose answer is always the same.
    std::map<std::string, double> priors;
    double prior = 0;  // over all questions
};

/// Collects answers. Not for several threads at once.
class Grader {
public:
    void add(const Record& record, std::string_view text);
    Scores scores() const;

private:
    struct Kind {
        Tally tally;
        std::map<std::string, int> truths;
        std::vector<Extent> boxes;
    };
    static double prior(const Kind& kind);

    std::map<std::string, Kind> m_kinds;
    Tally m_boxes;
};

}  // namespace inference::mini
