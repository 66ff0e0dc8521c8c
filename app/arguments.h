#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace app {

/// Words of a command line that make no sense; the message says which. Exit status 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// `--name value`, `--name=value`, `--flag` and positional words, in order. `--` ends the options.
class Arguments {
public:
    struct Option {
        std::string_view name;  // "--model"
        bool takesValue = true;
    };
    struct Item {
        std::string name;  // empty for a positional word
        std::string value;
    };

    /// Throws UsageError for an unknown option, a missing or a superfluous value.
    Arguments(const std::vector<std::string>& words, const std::vector<Option>& options);

    const std::vector<Item>& items() const { return m_items; }
    std::vector<std::string> positional() const;
    bool has(std::string_view name) const { return value(name).has_value(); }
    /// The last one given.
    std::optional<std::string> value(std::string_view name) const;
    std::string value(std::string_view name, std::string_view otherwise) const;

private:
    std::vector<Item> m_items;
};

/// A whole number within [least, most]. Throws UsageError that names the option and the range.
long long wholeNumber(std::string_view option, const std::string& text, long long least,
                      long long most);
double number(std::string_view option, const std::string& text, double least, double most);
/// "40/400" with separator '/', "1,2,3,4" with ','. Throws UsageError where the count differs.
std::vector<double> numbers(std::string_view option, const std::string& text, char separator,
                            std::size_t count);

}  // namespace app
