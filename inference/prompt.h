#pragma once

#include "inference/engine.h"
#include "inference/tokenizer.h"

#include <string>
#include <string_view>
#include <vector>

namespace inference {

/// The request as the model reads it.
struct Prompt {
    std::vector<TokenId> ids;      // image context tokens included
    std::vector<ImageUse> images;  // in order of appearance

    std::size_t systemEnd = 0;      // ids before it: BOS and the system turn
    std::size_t questionBegin = 0;  // the turn of the last question begins here
    std::size_t earlierImages = 0;  // so many of the images stand before it
};

/// A conversation to learn from.
struct Lesson {
    Prompt prompt;
    std::vector<bool> learnt;  // of each id: the model has to write it, <|im_end|> included
};

/// How many `<image>` marks a text has.
std::size_t marksIn(std::string_view text);

/// The system message's text; empty for None.
std::string systemText(const SystemPrompt& system);

/// How many tiles a picture of the message may have.
int maxTilesOf(const Message& message, const Request& request);

/// Template "internvl2_5" (model specification 6), behind what the tokenizer says every prompt
/// begins with. Control tokens typed by the user stay text, but
/// for what questions are asked with: `<image>` marks, `<ref>phrase</ref>` and
/// `<box>[[numbers]]</box>`. In answers and in the system message <think> and </think> are tokens.
/// A later question with pictures and no mark gets numbered marks, too, counting on. An own system
/// message without text is left out like None. `request.maxTiles` goes before `tiling.maxTiles`;
/// frames of a video get one tile each and are numbered from 1 in each message.
/// Throws Error where marks and pictures do not match in number, the text is not UTF-8, or the
/// conversation does not end with a question.
Prompt buildPrompt(const Request& request, const Tokenizer& tokenizer, TilingOptions tiling);

/// The same template for a conversation that ends with an answer. What the model has to write,
/// reasoning and grounding marks as tokens, begins a piece of text of its own, as it does when the
/// model writes it. Throws as buildPrompt(), and where a message has no text.
Lesson buildLesson(const Request& request, const Tokenizer& tokenizer, TilingOptions tiling);

/// What the model writes, encoded on its own as a lesson's answers are. Throws Error where the text
/// is not UTF-8.
std::vector<TokenId> encodeAnswer(std::string_view utf8, const Tokenizer& tokenizer);

}  // namespace inference
