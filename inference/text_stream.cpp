#include "inference/text_stream.h"

#include "inference/error.h"
#include "inference/unicode.h"
#include "inference/utf8.h"

#include <algorithm>
#include <array>

namespace inference {

namespace {

constexpr std::string_view open = "<think>", close = "</think>", endOfTurn = "<|im_end|>";
constexpr std::array<std::string_view, 3> tags{open, close, endOfTurn};
constexpr std::array<std::string_view, 4> groundingTags{"<ref>", "</ref>", "<box>", "</box>"};

bool isGroundingTag(std::string_view spelling)
{
    return std::find(groundingTags.begin(), groundingTags.end(), spelling) != groundingTags.end();
}

/// The length of the longest end of the text with which one of the words begins.
template <typename Words>
std::size_t beginningAtEnd(std::string_view text, const Words& words)
{
    std::size_t longest = 0;
    for (const std::string_view word : words) {
        std::size_t length = std::min(text.size(), word.size());
        while (length > longest && !word.starts_with(text.substr(text.size() - length))) {
            --length;
        }
        longest = std::max(longest, length);
    }
    return longest;
}

/// The longest part at the end that is white space.
std::size_t spaceAtEnd(std::string_view text)
{
    std::size_t end = 0;
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char next = charAt(text, at);
        end = isStripped(next.point) ? end : next.end;
        at = next.end;
    }
    return text.size() - end;
}

std::string without(std::string_view text, std::string_view tag)
{
    std::string kept;
    for (std::size_t at = text.find(tag); at != std::string_view::npos; at = text.find(tag)) {
        kept += text.substr(0, at);
        text.remove_prefix(at + tag.size());
    }
    return kept.append(text);
}

struct Parts {
    std::string thinking, answer;
};

Parts split(std::string_view text)
{
    constexpr auto none = std::string_view::npos;
    const std::size_t first = text.find(close), last = text.rfind(close), begin = text.find(open);
    std::string thinking;
    std::string_view answer = text;
    if (last != none) {
        answer = text.substr(last + close.size());
        const bool one = first == last && begin < last;
        thinking =
            text.substr(one ? begin + open.size() : 0, one ? last - begin - open.size() : last);
    }
    // A <think> that is never closed.
    if (const std::size_t opened = answer.find(open); opened != none) {
        thinking += thinking.empty() ? "" : "\n\n";
        thinking += stripped(answer.substr(opened + open.size()));
        answer = answer.substr(0, opened);
    }
    const std::string plain = without(without(thinking, open), close);
    return {std::string(stripped(plain)), std::string(stripped(answer))};
}

}  // namespace

TextStream::TextStream(const Tokenizer& tokenizer, OnPiece onPiece,
                       std::vector<std::string> stopStrings)
    : m_tokenizer(tokenizer)
    , m_onPiece(std::move(onPiece))
    , m_stopStrings(std::move(stopStrings))
{
    for (const std::string& word : m_stopStrings) {
        if (word.empty() || firstBadByte(word)) {
            throw Error(word.empty()
                            ? "A stop string is empty; it would end every answer at once."
                            : "The stop string \"" + withoutBadBytes(word) + "\" is not UTF-8.");
        }
    }
}

void TextStream::push(TokenId id)
{
    const std::string_view bytes = m_tokenizer.bytes(id);
    if (m_tokenizer.isSpecial(id)) {
        if (isGroundingTag(bytes)) {
            m_tags.push_back(
                {m_text.size() + m_held.size() + cleanedUp(m_unclean).size(), std::string(bytes)});
        }
        return;
    }
    m_tail += bytes;
    const std::size_t waiting = unfinishedBytes(m_tail);
    const std::string whole =
        m_tokenizer.textOf(std::string_view(m_tail).substr(0, m_tail.size() - waiting));
    m_tail.erase(0, m_tail.size() - waiting);
    clean(whole, false);
}

AnswerText TextStream::finish()
{
    clean(m_tokenizer.textOf(m_tail), true);
    m_tail.clear();
    const std::size_t end = std::min(m_text.find(endOfTurn), m_text.size());
    AnswerText result;
    result.text = stripped(std::string_view(m_text).substr(0, end));
    Parts parts = split(result.text);
    result.thinking = std::move(parts.thinking);
    result.answer = std::move(parts.answer);
    result.grounded = split(stripped(grounded(end))).answer;
    return result;
}

std::string TextStream::grounded(std::size_t end) const
{
    std::string text;
    std::size_t at = 0;
    for (const GroundingTag& tag : m_tags) {
        if (tag.at > end) {
            break;
        }
        text.append(m_text, at, tag.at - at).append(tag.spelling);
        at = tag.at;
    }
    return text.append(m_text, at, end - at);
}

void TextStream::clean(std::string_view utf8, bool last)
{
    if (!m_tokenizer.cleansUp()) {
        take(utf8, last);
        return;
    }
    m_unclean += utf8;
    const std::size_t ready = m_unclean.size() - (last ? 0 : uncleanedBytes(m_unclean));
    take(cleanedUp(std::string_view(m_unclean).substr(0, ready)), last);
    m_unclean.erase(0, ready);
}

void TextStream::take(std::string_view utf8, bool last)
{
    if (m_stopped) {
        return;
    }
    m_held += utf8;
    std::size_t ready = std::string::npos;
    for (const std::string& word : m_stopStrings) {
        ready = std::min(ready, m_held.find(word));
    }
    m_stopped = ready != std::string::npos;
    if (!m_stopped) {
        ready = m_held.size() - (last ? 0 : beginningAtEnd(m_held, m_stopStrings));
    }
    const std::string_view text = std::string_view(m_held).substr(0, ready);
    m_text += text;
    show(text, last || m_stopped);
    m_held.erase(0, ready);
}

void TextStream::show(std::string_view utf8, bool last)
{
    if (m_ended) {
        return;
    }
    m_pending += utf8;
    std::string_view rest = m_pending;
    for (std::size_t at = rest.find('<'); at != std::string_view::npos; at = rest.find('<', at)) {
        const auto tag = std::find_if(tags.begin(), tags.end(), [&](std::string_view one) {
            return rest.substr(at).starts_with(one);
        });
        if (tag == tags.end()) {
            ++at;
            continue;
        }
        give(rest.substr(0, at));
        m_ended = *tag == endOfTurn;
        if (m_ended) {
            m_pending.clear();
            return;
        }
        m_channel = *tag == open ? Channel::Thinking : Channel::Answer;
        rest.remove_prefix(at + tag->size());
        at = 0;
    }
    const std::size_t waiting = last ? 0 : beginningAtEnd(rest, tags);
    give(rest.substr(0, rest.size() - waiting));
    m_pending.erase(0, m_pending.size() - waiting);
}

void TextStream::give(std::string_view utf8)
{
    const auto channel = std::size_t(m_channel);
    const std::size_t space = spaceAtEnd(utf8);
    const std::string_view solid = utf8.substr(0, utf8.size() - space);
    if (!solid.empty()) {
        std::string piece;
        if (m_begun[channel]) {
            piece = std::move(m_space[channel]);
            piece += solid;
        } else {
            piece = stripped(solid);
        }
        m_space[channel].clear();
        m_begun[channel] = true;
        if (m_onPiece) {
            m_onPiece({m_channel, piece});
        }
    }
    m_space[channel] += utf8.substr(utf8.size() - space);
}

}  // namespace inference
