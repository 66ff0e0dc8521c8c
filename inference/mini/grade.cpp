#include "inference/mini/grade.h"

#include "inference/grounding.h"

#include <algorithm>

namespace inference::mini {

namespace {

std::string_view withoutReasoning(std::string_view text)
{
    constexpr std::string_view end = "</think>";
    const std::size_t at = text.rfind(end);
    return at == std::string_view::npos ? text : text.substr(at + end.size());
}

/// Small letters; punctuation becomes a space; single spaces between words. A point between digits
/// stays: 2.5 is not 25.
std::string canonical(std::string_view text)
{
    std::string result;
    const auto isDigit = [&](std::size_t at) {
        return at < text.size() && text[at] >= '0' && text[at] <= '9';
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        c = char(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
        const bool decimal = (c == '.' || c == ',') && i > 0 && isDigit(i - 1) && isDigit(i + 1);
        const bool minus = c == '-' && isDigit(i + 1);
        if (!decimal && !minus &&
            std::string_view(" \t\r\n.,;:!?\"'`*()-").find(c) != std::string_view::npos) {
            c = ' ';
        }
        if (c != ' ' || (!result.empty() && result.back() != ' ')) {
            result += c;
        }
    }
    if (!result.empty() && result.back() == ' ') {
        result.pop_back();
    }
    return result;
}

std::vector<Extent> boxesOf(std::string_view text)
{
    std::vector<Extent> extents;
    for (const Box& box : parseBoxes(text, {{100, 100}})) {
        extents.push_back({box.x, box.y, box.x + box.width, box.y + box.height});
    }
    return extents;
}

}  // namespace

double overlap(const Extent& a, const Extent& b)
{
    const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
    const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
    if (width <= 0 || height <= 0) {
        return 0;
    }
    const double both = width * height;
    return both / (a.width() * a.height() + b.width() * b.height() - both);
}

bool isRight(const Record& record, std::string_view text)
{
    const std::string_view answer = withoutReasoning(text);
    if (record.boxes.empty()) {
        return canonical(answer) == canonical(record.answer);
    }
    const std::vector<Extent> found = boxesOf(answer);
    return found.size() == record.boxes.size() &&
        std::all_of(record.boxes.begin(), record.boxes.end(), [&](const Extent& box) {
               return std::any_of(found.begin(), found.end(),
                                  [&](const Extent& one) { return overlap(one, box) >= 0.5; });
           });
}

void Grader::add(const Record& record, std::string_view text)
{
    const bool right = isRight(record, text);
    Kind& kind = m_kinds[record.kind];
    kind.tally.right += right ? 1 : 0;
    ++kind.tally.total;
    if (record.boxes.empty()) {
        ++kind.truths[record.truth];
    } else {
        m_boxes.right += right ? 1 : 0;
        ++m_boxes.total;
        kind.boxes.push_back(record.boxes.front());
    }
}

double Grader::prior(const Kind& kind)
{
    int best = 0;
    for (const auto& [truth, count] : kind.truths) {
        best = std::max(best, count);
    }
    // Of the boxes, the one that meets most of the others; a few hundred stand for all.
    const std::size_t step = kind.boxes.size() / 300 + 1;
    for (std::size_t i = 0; i < kind.boxes.size(); i += step) {
        best = std::max(
            best, int(std::count_if(kind.boxes.begin(), kind.boxes.end(), [&](const Extent& box) {
                return overlap(box, kind.boxes[i]) >= 0.5;
            })));
    }
    return kind.tally.total > 0 ? double(best) / kind.tally.total : 0;
}

Scores Grader::scores() const
{
    Scores scores;
    scores.boxes = m_boxes;
    for (const auto& [name, kind] : m_kinds) {
        scores.kinds[name] = kind.tally;
        scores.overall.right += kind.tally.right;
        scores.overall.total += kind.tally.total;
        scores.priors[name] = prior(kind);
        scores.prior += scores.priors[name] * kind.tally.total;
    }
    scores.prior /= std::max(scores.overall.total, 1);
    return scores;
}

}  // namespace inference::mini
