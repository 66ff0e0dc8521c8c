#include "inference/prompt.h"

#include "inference/error.h"
#include "inference/utf8.h"

#include <algorithm>

namespace inference {

namespace {

constexpr std::string_view mark = "<image>";

// Both from OpenGVLab/InternVL: conversation.py's internvl2_5, and the card of InternVL3.5.
constexpr std::string_view defaultSystem = "你是书生·万象，英文名是InternVL，是由上海人工智能实验室"
                                           "、清华大学及多家合作单位联合开发的多模态大语言模型。";
constexpr std::string_view thinkingSystem =
    "You are an AI assistant that rigorously follows this response protocol:\n\n"
    "1. First, conduct a detailed analysis of the question. Consider different angles, potential "
    "solutions, and reason through the problem step-by-step. Enclose this entire thinking process "
    "within <think> and </think> tags.\n\n"
    "2. After the thinking section, provide a clear, concise, and direct answer to the user's "
    "question. Separate the answer from the think section with a newline.\n\n"
    "Ensure that the thinking process is thorough but remains focused on the query. The final "
    "answer should be standalone and not reference the thinking section.";

/// The length of `<ref>phrase</ref>` or `<box>[[numbers]]</box>` at the beginning of the text, 0
/// where there is none: grounding questions are asked with these tokens (model specification 9).
struct Grounding {
    std::string_view open, inside, close;
    std::size_t length() const { return open.size() + inside.size() + close.size(); }
};
Grounding groundingAt(std::string_view text)
{
    for (const auto& [open, close] :
         {std::pair<std::string_view, std::string_view>("<ref>", "</ref>"),
          std::pair<std::string_view, std::string_view>("<box>", "</box>")}) {
        if (!text.starts_with(open)) {
            continue;
        }
        const std::string_view rest = text.substr(open.size());
        const std::size_t end = rest.find_first_of(open == "<ref>" ? "<\n" : "<\n\"':");
        const std::string_view inside = rest.substr(0, end);
        const bool numbers = inside.find_first_not_of("0123456789.,[] ") == std::string_view::npos;
        if (end == 0 || end == std::string_view::npos || !rest.substr(end).starts_with(close) ||
            (open == "<box>" && !numbers)) {
            return {};
        }
        return {open, inside, close};
    }
    return {};
}

/// Collects text and control tokens; text between two control tokens is encoded as one piece.
class Writer {
public:
    Writer(const Tokenizer& tokenizer, const std::vector<ImageUse>& images)
        : m_tokenizer(tokenizer)
        , m_images(images)
    {
    }

    void text(std::string_view utf8) { m_text += utf8; }
    /// What every prompt begins with.
    void beginning()
    {
        if (const auto id = m_tokenizer.beginning()) {
            m_ids.push_back(*id);
        }
    }
    void control(std::string_view spelling)
    {
        flush();
        m_ids.push_back(id(spelling));
    }
    /// Text in which <think> and </think> are tokens, as in the model's own answers.
    void reasoning(std::string_view utf8);
    /// Text of the user: <image> marks become pictures, grounding marks become tokens.
    void question(std::string_view utf8);
    /// Text the model is to learn to write: its reasoning and grounding marks are tokens.
    void answer(std::string_view utf8);
    /// Tokens so far; what comes behind is encoded on its own.
    std::size_t place()
    {
        flush();
        return m_ids.size();
    }
    std::size_t pictures() const { return m_nextImage; }
    std::vector<TokenId> finish()
    {
        flush();
        return std::move(m_ids);
    }

private:
    TokenId id(std::string_view spelling) const;
    /// Writes the grounding mark that the text begins with -> its length, 0 where there is none.
    std::size_t grounding(std::string_view utf8);
    void flush();
    void picture();

    const Tokenizer& m_tokenizer;
    const std::vector<ImageUse>& m_images;
    std::size_t m_nextImage = 0;
    std::string m_text;
    std::vector<TokenId> m_ids;
};

TokenId Writer::id(std::string_view spelling) const
{
    const auto found = m_tokenizer.control(spelling);
    if (!found) {
        throw Error("The tokenizer has no token " + std::string(spelling) +
                    "; it does not belong to an InternVL model of the template internvl2_5.");
    }
    return *found;
}

void Writer::flush()
{
    if (!m_text.empty()) {
        const std::vector<TokenId> ids = m_tokenizer.encode(m_text);
        m_ids.insert(m_ids.end(), ids.begin(), ids.end());
        m_text.clear();
    }
}

void Writer::picture()
{
    control("<img>");
    m_ids.insert(m_ids.end(), std::size_t(m_images[m_nextImage].tokens), id("<IMG_CONTEXT>"));
    control("</img>");
    ++m_nextImage;
}

void Writer::reasoning(std::string_view utf8)
{
    while (!utf8.empty()) {
        const std::size_t at = std::min(utf8.find('<'), utf8.size());
        text(utf8.substr(0, at));
        utf8.remove_prefix(at);
        std::string_view tag = utf8.starts_with("<think>") ? "<think>" : "</think>";
        if (utf8.starts_with(tag) && m_tokenizer.control(tag)) {
            control(tag);
        } else {
            tag = utf8.substr(0, 1);
            text(tag);
        }
        utf8.remove_prefix(tag.size());
    }
}

std::size_t Writer::grounding(std::string_view utf8)
{
    const Grounding found = groundingAt(utf8);
    if (found.length() == 0 || !m_tokenizer.control(found.open)) {
        return 0;
    }
    control(found.open);
    text(found.inside);
    control(found.close);
    return found.length();
}

void Writer::answer(std::string_view utf8)
{
    while (!utf8.empty()) {
        if (const std::size_t length = grounding(utf8); length > 0) {
            utf8.remove_prefix(length);
            continue;
        }
        const std::size_t next = std::min(utf8.find('<', 1), utf8.size());
        reasoning(utf8.substr(0, next));
        utf8.remove_prefix(next);
    }
}

void Writer::question(std::string_view utf8)
{
    while (!utf8.empty()) {
        const std::size_t at = std::min(utf8.find('<'), utf8.size());
        text(utf8.substr(0, at));
        utf8.remove_prefix(at);
        if (utf8.starts_with(mark)) {
            picture();
            utf8.remove_prefix(mark.size());
        } else if (const std::size_t length = grounding(utf8); length > 0) {
            utf8.remove_prefix(length);
        } else {
            text(utf8.substr(0, 1));
            utf8.remove_prefix(std::min<std::size_t>(1, utf8.size()));
        }
    }
}

std::string counted(std::size_t number, const char* what)
{
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

/// The text with marks put in front where it has pictures and no mark. `before`: pictures of
/// earlier messages.
std::string marked(const Message& message, std::size_t before)
{
    if (message.images.empty() || marksIn(message.text) > 0) {
        return message.text;
    }
    if (message.video) {
        std::string text;
        for (std::size_t i = 1; i <= message.images.size(); ++i) {
            text += "Frame" + std::to_string(i) + ": <image>\n";
        }
        return text + message.text;
    }
    if (message.images.size() + before == 1) {
        return "<image>\n" + message.text;
    }
    std::string text;
    for (std::size_t i = 1; i <= message.images.size(); ++i) {
        text += "Image-" + std::to_string(before + i) + ": <image>\n";
    }
    return text + message.text;
}

void check(const Request& request, Role last)
{
    if (request.messages.empty() || request.messages.back().role != last) {
        throw Error(std::string("The conversation does not end with ") +
                    (last == Role::User ? "a question." : "an answer to learn."));
    }
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        const Message& message = request.messages[i];
        if (const auto bad = firstBadByte(message.text)) {
            throw Error("The text of message " + std::to_string(i + 1) + " is not UTF-8: byte " +
                        std::to_string(*bad) + " begins no character.");
        }
        if (message.role == Role::Assistant && !message.images.empty()) {
            throw Error(
                "Message " + std::to_string(i + 1) +
                " is an answer of the model and has pictures; only questions can have them.");
        }
    }
    if (const auto bad = firstBadByte(request.system.text)) {
        throw Error("The system message is not UTF-8: byte " + std::to_string(*bad) +
                    " begins no character.");
    }
}

}  // namespace

std::size_t marksIn(std::string_view text)
{
    std::size_t count = 0;
    for (std::size_t at = text.find(mark); at != std::string_view::npos;
         at = text.find(mark, at + mark.size())) {
        ++count;
    }
    return count;
}

std::string systemText(const SystemPrompt& system)
{
    switch (system.preset) {
    case SystemPrompt::Preset::None:
        return {};
    case SystemPrompt::Preset::Thinking:
        return std::string(thinkingSystem);
    case SystemPrompt::Preset::Own:
        return system.text;
    case SystemPrompt::Preset::Default:
        break;
    }
    return std::string(defaultSystem);
}

int maxTilesOf(const Message& message, const Request& request)
{
    return message.video ? 1 : request.maxTiles;
}

namespace {

/// The texts with all marks, and what the pictures cost.
struct Prepared {
    std::vector<std::string> texts;
    std::vector<ImageUse> images;
};

Prepared prepare(const Request& request, TilingOptions tiling)
{
    Prepared result;
    std::size_t marks = 0;
    for (const Message& message : request.messages) {
        result.texts.push_back(marked(message, result.images.size()));
        marks += message.role == Role::User ? marksIn(result.texts.back()) : 0;
        tiling.maxTiles = maxTilesOf(message, request);
        for (const Image& image : message.images) {
            const TileLayout layout = layoutTiles(image.width, image.height, tiling);
            result.images.push_back(
                {image.width, image.height, layout.grid, layout.tiles, layout.tokens});
        }
    }
    if (marks != result.images.size()) {
        throw Error("The conversation has " + counted(marks, "<image> mark") + " and " +
                    counted(result.images.size(), "picture") + "; each picture needs one mark.");
    }
    return result;
}

void writeSystem(const SystemPrompt& system, Writer& writer)
{
    writer.beginning();
    if (const std::string text = systemText(system); !text.empty()) {
        writer.control("<|im_start|>");
        writer.text("system\n");
        writer.reasoning(text);
        writer.control("<|im_end|>");
        writer.text("\n");
    }
}

/// From one token to before another.
struct Span {
    std::size_t begin = 0, end = 0;
};

/// Notes in `prompt` where its parts end. `answers`, where it is given, gets each answer's place,
/// <|im_end|> included; answers are then encoded on their own, as the model writes them.
void writeMessages(const Request& request, const std::vector<std::string>& texts, Writer& writer,
                   Prompt& prompt, std::vector<Span>* answers)
{
    prompt.systemEnd = writer.place();
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const bool user = request.messages[i].role == Role::User;
        if (user) {
            prompt.questionBegin = writer.place();
            prompt.earlierImages = writer.pictures();
        }
        writer.control("<|im_start|>");
        writer.text(user ? "user\n" : "assistant\n");
        if (texts[i].empty()) {
            continue;  // no text, no separator (model specification 6.1)
        }
        const std::size_t begin = answers && !user ? writer.place() : 0;
        if (user) {
            writer.question(texts[i]);
        } else if (answers) {
            writer.answer(texts[i]);
        } else {
            writer.reasoning(texts[i]);
        }
        writer.control("<|im_end|>");
        if (answers && !user) {
            answers->push_back({begin, writer.place()});
        }
        writer.text("\n");
    }
}

}  // namespace

Prompt buildPrompt(const Request& request, const Tokenizer& tokenizer, TilingOptions tiling)
{
    check(request, Role::User);
    Prepared prepared = prepare(request, tiling);
    Prompt prompt;
    prompt.images = std::move(prepared.images);
    Writer writer(tokenizer, prompt.images);
    writeSystem(request.system, writer);
    writeMessages(request, prepared.texts, writer, prompt, nullptr);
    writer.control("<|im_start|>");
    writer.text("assistant\n");
    prompt.ids = writer.finish();
    return prompt;
}

Lesson buildLesson(const Request& request, const Tokenizer& tokenizer, TilingOptions tiling)
{
    check(request, Role::Assistant);
    for (std::size_t i = 0; i < request.messages.size(); ++i) {
        if (request.messages[i].text.empty()) {
            throw Error("Message " + std::to_string(i + 1) +
                        " has no text; nothing can be learnt from it.");
        }
    }
    Prepared prepared = prepare(request, tiling);
    Lesson lesson;
    lesson.prompt.images = std::move(prepared.images);
    Writer writer(tokenizer, lesson.prompt.images);
    writeSystem(request.system, writer);
    std::vector<Span> answers;
    writeMessages(request, prepared.texts, writer, lesson.prompt, &answers);
    lesson.prompt.ids = writer.finish();
    lesson.learnt.resize(lesson.prompt.ids.size());
    for (const Span& answer : answers) {
        std::fill(lesson.learnt.begin() + std::ptrdiff_t(answer.begin),
                  lesson.learnt.begin() + std::ptrdiff_t(answer.end), true);
    }
    return lesson;
}

std::vector<TokenId> encodeAnswer(std::string_view utf8, const Tokenizer& tokenizer)
{
    const std::vector<ImageUse> none;
    Writer writer(tokenizer, none);
    writer.answer(utf8);
    return writer.finish();
}

}  // namespace inference
