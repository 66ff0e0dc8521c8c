#include "app/arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

namespace app {

Arguments::Arguments(const std::vector<std::string>& words, const std::vector<Option>& options)
{
    bool optionsOver = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (optionsOver || word.size() < 2 || word[0] != '-') {
            m_items.push_back({"", word});
            continue;
        }
        if (word == "--") {
            optionsOver = true;
            continue;
        }
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        const auto option = std::find_if(options.begin(), options.end(),
                                         [&](const Option& one) { return one.name == name; });
        if (option == options.end()) {
            throw UsageError("unknown option " + name);
        }
        if (!option->takesValue) {
            if (equals != std::string::npos) {
                throw UsageError(name + " takes no value");
            }
            m_items.push_back({name, ""});
        } else if (equals != std::string::npos) {
            m_items.push_back({name, word.substr(equals + 1)});
        } else if (i + 1 < words.size()) {
            m_items.push_back({name, words[++i]});
        } else {
            throw UsageError(name + " needs a value");
        }
    }
}

std::vector<std::string> Arguments::positional() const
{
    std::vector<std::string> words;
    for (const Item& item : m_items) {
        if (item.name.empty()) {
            words.push_back(item.value);
        }
    }
    return words;
}

std::optional<std::string> Arguments::value(std::string_view name) const
{
    const auto found = std::find_if(m_items.rbegin(), m_items.rend(),
                                    [&](const Item& item) { return item.name == name; });
    return found == m_items.rend() ? std::nullopt : std::optional(found->value);
}

std::string Arguments::value(std::string_view name, std::string_view otherwise) const
{
    return value(name).value_or(std::string(otherwise));
}

namespace {

constexpr double noLimit = 1e12;

template <typename T>
T parsed(std::string_view option, std::string_view text, T least, T most, const char* kind)
{
    T result{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
    bool good = error == std::errc() && end == text.data() + text.size() && result >= least &&
        result <= most;
    if constexpr (std::is_floating_point_v<T>) {
        good = good && std::isfinite(result);
    }
    if (!good) {
        std::string range;
        if (std::is_integral_v<T> || most < noLimit) {
            std::ostringstream limits;
            limits << " from " << least << " to " << most;
            range = limits.str();
        }
        throw UsageError(std::string(option) + " is \"" + std::string(text) + "\"; expected " +
                         kind + range);
    }
    return result;
}

}  // namespace

long long wholeNumber(std::string_view option, const std::string& text, long long least,
                      long long most)
{
    return parsed<long long>(option, text, least, most, "a whole number");
}

double number(std::string_view option, const std::string& text, double least, double most)
{
    return parsed<double>(option, text, least, most, "a number");
}

std::vector<double> numbers(std::string_view option, const std::string& text, char separator,
                            std::size_t count)
{
    std::vector<double> result;
    std::size_t from = 0;
    while (from <= text.size()) {
        const std::size_t to = std::min(text.find(separator, from), text.size());
        result.push_back(parsed<double>(option, std::string_view(text).substr(from, to - from),
                                        -noLimit, noLimit, "numbers"));
        from = to + 1;
    }
    if (result.size() != count) {
        throw UsageError(std::string(option) + " is \"" + text + "\"; expected " +
                         std::to_string(count) + " numbers joined by '" + separator + "'");
    }
    return result;
}

}  // namespace app
