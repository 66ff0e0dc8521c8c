#include "inference/bpe_tokenizer.h"

#include "inference/error.h"
#include "inference/pretokenizer.h"
#include "inference/unicode.h"
#include "inference/utf8.h"

#include <array>
#include <unordered_map>

namespace inference {

namespace {

/// The printable alphabet's character of each byte.
std::array<char32_t, 256> byteAlphabet()
{
    std::array<char32_t, 256> alphabet{};
    char32_t next = 0x100;
    for (char32_t byte = 0; byte < 256; ++byte) {
        const bool printable =
            (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        alphabet[byte] = printable ? byte : next++;
    }
    return alphabet;
}

/// A spelling in the printable alphabet to bytes; a character outside of it stands for itself.
std::string toBytes(std::string_view spelling)
{
    static const std::array<int, 0x144> table = [] {
        std::array<int, 0x144> bytes;
        bytes.fill(-1);
        const auto alphabet = byteAlphabet();
        for (std::size_t byte = 0; byte < alphabet.size(); ++byte) {
            bytes[alphabet[byte]] = int(byte);
        }
        return bytes;
    }();
    std::string bytes;
    for (std::size_t at = 0; at < spelling.size();) {
        const Utf8Char next = charAt(spelling, at);
        if (next.point < table.size() && table[next.point] >= 0) {
            bytes += char(table[next.point]);
        } else {
            bytes += spelling.substr(at, next.end - at);
        }
        at = next.end;
    }
    return bytes;
}

Error noByte(const BpeParts& parts, std::size_t byte, const std::string& spelling)
{
    return Error("The file " + parts.vocabularyFile.string() + " has no token for the byte " +
                 std::to_string(byte) + " (\"" + spelling +
                 "\"); it is not the vocabulary of a byte-level tokenizer.");
}

Error strangeMerge(const BpeParts& parts, std::size_t rank)
{
    const auto& [left, right] = parts.merges[rank];
    return Error("Merge " + std::to_string(rank + 1) + " of " + parts.mergesFile.string() + ", \"" +
                 left + " " + right + "\", does not fit the vocabulary in " +
                 parts.vocabularyFile.string() + "; the files are probably from different models.");
}

}  // namespace

BpeTokenizer::BpeTokenizer(const BpeParts& parts)
    : m_added(parts.added)
    , m_counts{int(parts.vocabulary.size()), int(parts.merges.size())}
    , m_normalize(parts.normalize)
{
    std::unordered_map<std::string_view, TokenId> ids;
    ids.reserve(parts.vocabulary.size());
    for (const auto& [spelling, id] : parts.vocabulary) {
        ids.emplace(spelling, id);
        store(id, toBytes(spelling), false);
    }
    for (const AddedToken& token : parts.added) {
        store(token.id, token.spelling, token.special);
    }

    std::array<TokenId, 256> bytes{};
    const auto alphabet = byteAlphabet();
    for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
        std::string spelling;
        appendUtf8(spelling, alphabet[byte]);
        const auto found = ids.find(spelling);
        if (found == ids.end()) {
            throw noByte(parts, byte, spelling);
        }
        bytes[byte] = found->second;
    }

    m_merges.emplace(bytes, parts.merges.size());
    std::string whole;
    for (std::size_t rank = 0; rank < parts.merges.size(); ++rank) {
        const auto& [left, right] = parts.merges[rank];
        whole.assign(left).append(right);
        const auto a = ids.find(left), b = ids.find(right), both = ids.find(whole);
        if (a == ids.end() || b == ids.end() || both == ids.end()) {
            throw strangeMerge(parts, rank);
        }
        m_merges->add(a->second, b->second, both->second);
    }
}

void BpeTokenizer::store(TokenId id, std::string_view bytes, bool special)
{
    if (std::size_t(id) >= m_spans.size()) {
        m_spans.resize(std::size_t(id) + 1);
    }
    m_spans[std::size_t(id)] = {std::uint32_t(m_bytes.size()), std::uint32_t(bytes.size()),
                                special};
    m_bytes += bytes;
}

std::vector<TokenId> BpeTokenizer::encode(std::string_view utf8, ControlTokens control) const
{
    if (const auto bad = firstBadByte(utf8)) {
        throw Error("The text is not UTF-8: byte " + std::to_string(*bad) + " of " +
                    std::to_string(utf8.size()) + " begins no character.");
    }
    const std::string normal = m_normalize ? toNfc(utf8) : std::string(utf8);
    std::vector<TokenId> ids;
    ids.reserve(normal.size() / 3 + 1);
    const auto plain = [&](std::string_view text) {
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = wordEnd(text, at);
            m_merges->encode(text.substr(at, end - at), ids);
            at = end;
        }
    };
    if (control == ControlTokens::Recognised) {
        m_added.split(normal, plain, [&](const AddedToken& token) { ids.push_back(token.id); });
    } else {
        plain(normal);
    }
    return ids;
}

std::optional<TokenId> BpeTokenizer::control(std::string_view spelling) const
{
    const AddedToken* token = m_added.find(spelling);
    return token ? std::optional(token->id) : std::nullopt;
}

std::string_view BpeTokenizer::bytes(TokenId id) const
{
    if (id < 0 || std::size_t(id) >= m_spans.size()) {
        return {};
    }
    const Span& span = m_spans[std::size_t(id)];
    return std::string_view(m_bytes).substr(span.at, span.size);
}

bool BpeTokenizer::isSpecial(TokenId id) const
{
    return id >= 0 && std::size_t(id) < m_spans.size() && m_spans[std::size_t(id)].special;
}

}  // namespace inference
