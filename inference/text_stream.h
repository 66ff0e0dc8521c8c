#pragma once

#include "inference/engine.h"
#include "inference/tokenizer.h"

#include <string>
#include <string_view>

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
class TextStream {
public:
    /// The tokenizer must outlive the stream. An empty `onPiece` is allowed.
    TextStream(const Tokenizer& tokenizer, OnPiece onPiece);

    void push(TokenId id);

    /// Gives out what waited and returns the whole. push() must not follow.
    /// With `</think>` in the text, the answer is what follows the last one, and the thinking what
    /// follows `<think>`, or all before the last `</think>` where there are several (the rule of
    /// VLMEvalKit, model specification 6.8). After a `<think>` that is never closed all is
    /// thinking.
    AnswerText finish();

private:
    /// Text to split and show; `last`: nothing can follow.
    void show(std::string_view utf8, bool last);
    /// Hands over text of the present channel, white space at its ends held back.
    void give(std::string_view utf8);

    const Tokenizer& m_tokenizer;
    OnPiece m_onPiece;
    std::string m_shown;               // bytes without special tokens
    std::string m_grounded;            // bytes with <ref> and <box>
    std::string m_tail;                // bytes of a character that is not whole yet
    std::string m_pending;             // perhaps the start of a tag
    std::string m_space[2];            // white space that waits, by channel
    bool m_begun[2] = {false, false};  // text has been given in the channel
    Channel m_channel = Channel::Answer;
    bool m_ended = false;  // a literal <|im_end|> was met
};

}  // namespace inference
