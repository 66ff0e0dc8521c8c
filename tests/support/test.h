#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

/// Tests without Qt, so that the engine can be built and tested on a machine that has none
/// (KVL_ENGINE_ONLY). TEST(nameIsAClaim) { CHECK(...); } and one KVL_TEST_MAIN at the end.
/// Exit status: 0 all passed, 1 one failed, 77 all that ran were skipped.
namespace test {

struct Skip : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Case {
    const char* name;
    void (*run)();
};

inline std::vector<Case>& cases()
{
    static std::vector<Case> all;
    return all;
}

template <typename T>
std::string show(const T& value)
{
    if constexpr (requires(std::ostringstream & out) { out << value; }) {
        std::ostringstream out;
        out.precision(17);
        out << value;
        return out.str();
    } else if constexpr (requires {
                             value.begin();
                             value.size();
                         }) {
        std::string text = "[";
        for (const auto& item : value) {
            text += (text.size() > 1 ? ", " : "") + show(item);
        }
        return text + "]";
    } else if constexpr (std::is_enum_v<T>) {
        return std::to_string(static_cast<long>(value));
    } else {
        return "?";
    }
}

[[noreturn]] inline void fail(const char* file, int line, const std::string& what)
{
    throw Failure(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

template <typename A, typename B>
void equal(const A& actual, const B& expected, const char* text, const char* file, int line)
{
    if (!(actual == expected)) {
        fail(file, line,
             std::string(text) + "\n    found    " + show(actual) + "\n    expected " +
                 show(expected));
    }
}

template <typename E, typename F>
void throwsWith(F&& run, const std::string& part, const char* text, const char* file, int line)
{
    try {
        run();
    } catch (const E& error) {
        if (std::string(error.what()).find(part) == std::string::npos) {
            fail(file, line,
                 std::string(text) + " says: " + error.what() + "\n    expected in it: " + part);
        }
        return;
    }
    fail(file, line, std::string(text) + " did not throw");
}

/// `filter`: run only the cases whose name contains it.
inline int runAll(int argc, char** argv)
{
    int passed = 0, failed = 0, skipped = 0;
    const std::string filter = argc > 1 ? argv[1] : "";
    for (const Case& one : cases()) {
        if (std::string(one.name).find(filter) == std::string::npos) {
            continue;
        }
        try {
            one.run();
            ++passed;
            std::printf("PASS   %s\n", one.name);
        } catch (const Skip& skip) {
            ++skipped;
            std::printf("SKIP   %s: %s\n", one.name, skip.what());
        } catch (const std::exception& error) {
            ++failed;
            std::printf("FAIL   %s\n  %s\n", one.name, error.what());
        }
        std::fflush(stdout);
    }
    std::printf("Totals: %d passed, %d failed, %d skipped\n", passed, failed, skipped);
    if (failed > 0) {
        return 1;
    }
    return passed > 0 ? 0 : 77;
}

}  // namespace test

#define TEST(name)                                                                                 \
    static void name();                                                                            \
    static const int name##_registered = (test::cases().push_back({#name, &name}), 0);             \
    static void name()
#undef CHECK  // c10's, which ends the program
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test::fail(__FILE__, __LINE__, #condition);                                            \
        }                                                                                          \
    } while (false)
#define CHECK_EQUAL(actual, expected) test::equal((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_THROWS(type, expression, part)                                                       \
    test::throwsWith<type>([&] { (void)(expression); }, part, #expression, __FILE__, __LINE__)
#define SKIP(reason) throw test::Skip(reason)
#define KVL_TEST_MAIN                                                                              \
    int main(int argc, char** argv)                                                                \
    {                                                                                              \
        return test::runAll(argc, argv);                                                           \
    }
