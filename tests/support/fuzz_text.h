#pragma once

#include "inference/utf8.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace test {

/// Seeded texts for tokenizers, the same as tests/reference/fuzz_text.py makes: scripts, emoji,
/// combining marks, control characters, code, control tokens, long runs. Each depends on its number
/// alone.
class FuzzTexts {
public:
    static constexpr int count = 20000;
    static constexpr int block = 100;  // texts with a digest of their own

    explicit FuzzTexts(const std::filesystem::path& material)
    {
        std::ifstream file(material);
        const nlohmann::json json = nlohmann::json::parse(file);
        for (const auto& alphabet : json["alphabets"]) {
            m_alphabets.push_back(charactersOf(alphabet.get<std::string>()));
        }
        m_ranges = json["ranges"].get<std::vector<std::pair<char32_t, char32_t>>>();
        m_words = json["words"].get<Strings>();
        m_controls = json["controls"].get<Strings>();
        m_runs = json["runs"].get<Strings>();
        m_bases = json["bases"].get<Strings>();
        m_marks = json["marks"].get<Strings>();
    }

    std::string operator()(int number) const
    {
        static const std::vector<int> lengths{1, 2, 3, 5, 17, 64, 130, 400};
        Random random{std::uint64_t(number) * 1000003 + 7};
        std::string text;
        for (std::uint64_t parts = 1 + random.below(8); parts > 0; --parts) {
            const std::uint64_t kind = random.below(100);
            if (kind < 38) {  // one script
                const Strings& alphabet = random.pick(m_alphabets);
                for (std::uint64_t n = 1 + random.below(12); n > 0; --n) {
                    text += random.pick(alphabet);
                }
            } else if (kind < 52) {
                text += random.pick(m_words);
            } else if (kind < 60) {
                text += random.pick(m_controls);
            } else if (kind < 63) {  // not quite a control token
                const std::string& control = random.pick(m_controls);
                text += control.substr(0, random.below(control.size()));
            } else if (kind < 72) {  // the same character again and again
                const std::string& one = random.pick(m_runs);
                for (int n = random.pick(lengths); n > 0; --n) {
                    text += one;
                }
            } else if (kind < 86) {  // a corner of Unicode
                const auto& [first, last] = random.pick(m_ranges);
                for (std::uint64_t n = 1 + random.below(6); n > 0; --n) {
                    inference::appendUtf8(text, first + char32_t(random.below(last - first + 1)));
                }
            } else {  // letters with marks, composed or not
                for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
                    text += random.pick(m_bases);
                    for (std::uint64_t marks = random.below(4); marks > 0; --marks) {
                        text += random.pick(m_marks);
                    }
                }
            }
            text += random.below(10) < 3 ? " " : "";
        }
        return text;
    }

private:
    using Strings = std::vector<std::string>;

    struct Random {  // splitmix64
        std::uint64_t state;

        std::uint64_t below(std::uint64_t n)
        {
            std::uint64_t z = state += 0x9e3779b97f4a7c15U;
            z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
            z = (z ^ z >> 27) * 0x94d049bb133111ebU;
            return ((z ^ z >> 31) >> 32) % n;
        }
        template <typename T>
        const T& pick(const std::vector<T>& things)
        {
            return things[below(things.size())];
        }
    };

    static Strings charactersOf(const std::string& text)
    {
        Strings all;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = inference::charAt(text, at).end;
            all.push_back(text.substr(at, end - at));
            at = end;
        }
        return all;
    }

    std::vector<Strings> m_alphabets;
    std::vector<std::pair<char32_t, char32_t>> m_ranges;  // both ends included
    Strings m_words, m_controls, m_runs, m_bases, m_marks;
};

}  // namespace test
