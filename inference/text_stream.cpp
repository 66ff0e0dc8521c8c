#include "inference/text_stream.h"

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

/// The length of the longest tag beginning that the text ends with.
std::size_t tagBeginning(std::string_view text)
{
    for (std::size_t length = std::min(text.size(), endOfTurn.size()); length > 0; --length) {
        const std::string_view end = text.substr(text.size() - length);
        if (std::any_of(tags.begin(), tags.end(),
                        [&](std::string_view tag) { return tag.starts_with(end); })) {
            return length;
        }
    }
    return 0;
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

std::string answerText(std::string_view bytes)
{
    const std::string whole = withoutBadBytes(bytes);
    return std::string(stripped(std::string_view(whole).substr(0, whole.find(endOfTurn))));
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

TextStream::TextStream(const Tokenizer& tokenizer, OnPiece onPiece)
    : m_tokenizer(tokenizer)
    , m_onPiece(std::move(onPiece))
{
}

void TextStream::push(TokenId id)
{
    const std::string_view bytes = m_tokenizer.bytes(id);
    if (m_tokenizer.isSpecial(id)) {
        if (isGroundingTag(bytes)) {
            m_grounded += bytes;
        }
        return;
    }
    m_shown += bytes;
    m_grounded += bytes;
    m_tail += bytes;
    const std::size_t waiting = unfinishedBytes(m_tail);
    const std::string whole =
        withoutBadBytes(std::string_view(m_tail).substr(0, m_tail.size() - waiting));
    m_tail.erase(0, m_tail.size() - waiting);
    show(whole, false);
}

AnswerText TextStream::finish()
{
    show(withoutBadBytes(m_tail), true);
    m_tail.clear();
    AnswerText result;
    result.text = answerText(m_shown);
    Parts parts = split(result.text);
    result.thinking = std::move(parts.thinking);
    result.answer = std::move(parts.answer);
    result.grounded = split(answerText(m_grounded)).answer;
    return result;
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
    const std::size_t waiting = last ? 0 : tagBeginning(rest);
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
