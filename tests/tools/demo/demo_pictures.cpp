#include "tools/demo/demo_pictures.h"

#include "inference/error.h"
#include "inference/resize.h"

#include <algorithm>
#include <array>
#include <optional>

namespace demo {
namespace {

using namespace inference::mini;

constexpr std::uint64_t seed = 20'260'112;  // no training and no evaluation takes it
constexpr int tile = 112;
constexpr int difficulty = 60;  // of 100

bool isGerman(const Record& record)
{
    constexpr std::array<std::string_view, 13> beginnings{
        "Wie ",       "Wo ",         "Auf ",
        "Liegt ",     "In welchem ", "Gib",
        "Sind es ",   "Was f",       "Welche Farbe hat ",
        "Welches ",   "Kreuzen ",    "Schreibe ",
        "Beschreibe "};
    return record.question.starts_with("Ist das ") ||
        std::any_of(beginnings.begin(), beginnings.end(), [&](std::string_view beginning) {
               return record.question.starts_with(beginning);
           });
}

/// A kind is "count", or "side=absent" for a question whose truth is that.
bool meets(const Record& record, std::string_view kind)
{
    const std::size_t equals = kind.find('=');
    const bool truth =
        equals == kind.npos ? record.truth != "absent" : record.truth == kind.substr(equals + 1);
    return record.kind == kind.substr(0, equals) && truth && !isGerman(record);
}

/// One record of each kind, no question twice; none where a kind is missing.
std::optional<std::vector<Record>> chosen(const Sample& sample,
                                          const std::vector<std::string_view>& kinds)
{
    std::vector<Record> all;
    for (const std::string_view kind : kinds) {
        const auto found =
            std::find_if(sample.records.begin(), sample.records.end(), [&](const Record& one) {
                return meets(one, kind) &&
                    std::none_of(all.begin(), all.end(), [&](const Record& other) {
                           return other.question == one.question;
                       });
            });
        if (found == sample.records.end()) {
            return std::nullopt;
        }
        all.push_back(*found);
    }
    return all;
}

}  // namespace

Picture draw(const Wish& wish, std::uint64_t firstIndex)
{
    Options options;
    options.tile = tile;
    options.difficulty = difficulty;
    options.scenes = {wish.scene};
    options.clean = true;
    options.allQuestions = true;
    constexpr std::uint64_t most = 2000;
    for (std::uint64_t i = firstIndex; i < firstIndex + most; ++i) {
        Sample sample = generate(seed, i, options);
        const auto records = chosen(sample, wish.kinds);
        if (records && sample.objects.size() >= wish.objects) {
            const int side = tile * wish.scale;
            return {inference::resize(sample.image, {side, side}), std::string(name(wish.scene)),
                    *records};
        }
    }
    throw inference::Error("No " + std::string(name(wish.scene)) + " from picture " +
                           std::to_string(firstIndex) + " on can be asked all that is wished.");
}

}  // namespace demo
