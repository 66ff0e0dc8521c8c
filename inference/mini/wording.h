#pragma once

#include "inference/mini/random.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inference::mini {

/// What stands in a question's place, {one} for instance, in English.
using Slots = std::vector<std::pair<std::string_view, std::string>>;

struct Wording {
    std::string text;
    bool german = false;
};

/// A question of this key in one of its wordings, in German now and then where `german` allows it
/// and every slot has a translation. Throws Error for a key that has no wording.
Wording ask(Random& random, std::string_view key, const Slots& slots, bool german);

/// "left" -> "links"; numbers stay. None where it has no translation.
std::optional<std::string> inGerman(std::string_view english);

/// Every wording and translation, for the tokenizer and the tests.
std::vector<std::string> allWordings();

}  // namespace inference::mini
