#include "dicom/orientation.h"

#include "dicom/access.h"
#include "dicom/transforms.h"

#include <algorithm>
#include <cmath>

namespace dicom {
namespace {

constexpr double oblique = 0.1;     // a part of a unit vector that is worth a second letter
constexpr double tolerance = 0.01;  // of length and right angle: cosines are rounded in files

char oppositeOf(char letter)
{
    switch (letter) {
    case 'R':
        return 'L';
    case 'L':
        return 'R';
    case 'A':
        return 'P';
    case 'P':
        return 'A';
    case 'H':
        return 'F';
    case 'F':
        return 'H';
    default:
        return 0;
    }
}

std::string oppositeOf(std::string letters)
{
    std::transform(letters.begin(), letters.end(), letters.begin(),
                   [](char letter) { return oppositeOf(letter); });
    return letters;
}

bool areLetters(std::string_view text)
{
    return !text.empty() && text.size() <= 3 &&
        std::all_of(text.begin(), text.end(), [](char c) { return oppositeOf(c) != 0; });
}

double dot(const std::array<double, 3>& a, const std::array<double, 3>& b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// The ends of a row lie at the left and right edge, those of a column at the top and bottom.
Edges edgesTo(const std::string& right, const std::string& bottom)
{
    return {oppositeOf(right), oppositeOf(bottom), right, bottom};
}

}  // namespace

std::string lettersOf(std::array<double, 3> direction)
{
    struct Part {
        double size;
        char letter;
    };
    constexpr std::array<std::array<char, 2>, 3> names{{{'L', 'R'}, {'P', 'A'}, {'H', 'F'}}};
    std::array<Part, 3> parts{};
    for (std::size_t i = 0; i < 3; ++i) {
        parts[i] = {std::abs(direction[i]), names[i][direction[i] < 0 ? 1 : 0]};
    }
    std::stable_sort(parts.begin(), parts.end(),
                     [](const Part& a, const Part& b) { return a.size > b.size; });
    std::string letters(1, parts[0].letter);
    if (parts[1].size > oblique) {
        letters += parts[1].letter;
    }
    return letters;
}

std::optional<Edges> edgesOf(const std::array<double, 6>& c)
{
    const std::array<double, 3> row{c[0], c[1], c[2]}, column{c[3], c[4], c[5]};
    const auto isUnit = [](const std::array<double, 3>& v) {
        return std::abs(std::sqrt(dot(v, v)) - 1) <= tolerance;
    };
    // Written so that what is not a number is refused, too.
    if (!(isUnit(row) && isUnit(column) && std::abs(dot(row, column)) <= tolerance)) {
        return std::nullopt;
    }
    return edgesTo(lettersOf(row), lettersOf(column));
}

std::optional<Edges> edgesOf(std::string_view row, std::string_view column)
{
    if (!areLetters(row) || !areLetters(column)) {
        return std::nullopt;
    }
    return edgesTo(std::string(row), std::string(column));
}

std::optional<Edges> edgesOf(const Dataset& dataset, int index)
{
    DcmItem& set = dataset.data().set;
    if (textIn(set, {0x0010, 0x2210}) == "QUADRUPED") {
        return std::nullopt;
    }
    DcmItem* group = functionalGroup(set, {0x0020, 0x9116}, index);
    const std::vector<double> cosines = numbersIn(group ? *group : set, {0x0020, 0x0037});
    if (!cosines.empty()) {
        std::array<double, 6> six{};
        if (cosines.size() != six.size()) {
            return std::nullopt;
        }
        std::copy(cosines.begin(), cosines.end(), six.begin());
        return edgesOf(six);
    }
    const std::string text = textIn(set, {0x0020, 0x0020});
    const std::size_t middle = text.find('\\');
    if (middle == std::string::npos) {
        return std::nullopt;
    }
    return edgesOf(std::string_view(text).substr(0, middle),
                   std::string_view(text).substr(middle + 1));
}

}  // namespace dicom
