#pragma once

#include "inference/engine.h"
#include "inference/tokenizer.h"

#include <string>
#include <string_view>
#include <vector>

namespace inference {

/// The text of an answer, from all its tokens.
struct AnswerText {
    std::string text;      // as chat() returns it: special tokens left out, cut at a literal
                           // `<|im_end|>`, stripped; <think> tags stay
    std::string thinking;  // stripped, tags left out
    std::string answer;    // stripped, thinking left out
    std::string grounded;  // `answer` with <ref>, </ref>, <box>, </box> kept, for parseBoxes()
};

/// Ids in, shown text out: turns tokens into whole UTF-8 characters, leaves special tokens and the
/// <think> tags out, and says of each piece whether it is thinking or answer. What may still turn
/// out to be the start of a tag, and white space at the end, waits for the next token; so where
/// <think> and </think> come once, the pieces of a channel joined are that channel's stripped text.
/// The text ends before the first stop string, of which nothing is given out, not even a beginning.
class TextStream {
public:
    /// The tokenizer must outlive the stream. An empty `onPiece` is allowed. Throws Error where a
    /// stop string is empty or not UTF-8.
    TextStream(const Tokenizer& tokenizer, OnPiece onPiece,
               std::vector<std::string> stopStrings = {});

    void push(TokenId id);
    /// A stop string was met: what follows is not taken any more.
    bool stopped() const { return m_stopped; }

    /// Gives out what waited and returns the whole. push() must not follow.
    /// With `</think>` in the text, the answer is what follows the last one, and the thinking what
    /// follows `<think>`, or all before the last `</think>` where there are several (the rule of
    /// VLMEvalKit, model specification 6.8). After a `<think>` that is never closed all is
    /// thinking.
    AnswerText finish();

private:
    /// Whole characters, as decode() cleans them up.
    void clean(std::string_view utf8, bool last);
    /// Clean text, up to the first stop string; `last`: nothing can follow.
    void take(std::string_view utf8, bool last);
    /// Text to split and show.
    void show(std::string_view utf8, bool last);
    /// Hands over text of the present channel, white space at its ends held back.
    void give(std::string_view utf8);

    /// The text up to `end` with the grounding tags in their places.
    std::string grounded(std::size_t end) const;

    struct GroundingTag {
        std::size_t at = 0;  // in the text
        std::string spelling;
    };

    const Tokenizer& m_tokenizer;
    OnPiece m_onPiece;
    std::vector<std::string> m_stopStrings;
    std::string m_text;                // without special tokens
    std::vector<GroundingTag> m_tags;  // that were left out of it
    std::string m_tail;                // bytes of a character that is not whole yet
    std::string m_unclean;             // what more text may change
    std::string m_held;                // perhaps the start of a stop string
    std::string m_pending;             // perhaps the start of a tag
    std::string m_space[2];            // white space that waits, by channel
    bool m_begun[2] = {false, false};  // text has been given in the channel
    Channel m_channel = Channel::Answer;
    bool m_ended = false;    // a literal <|im_end|> was met
    bool m_stopped = false;  // a stop string was met
};

}  // namespace inference
