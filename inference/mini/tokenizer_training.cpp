#include "inference/mini/tokenizer_training.h"

#include "inference/error.h"

#if defined(KVL_SENTENCEPIECE)
#include "inference/engine.h"
#include "inference/mini/sample.h"
#include "inference/mini/wording.h"
#include "inference/prompt.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#endif

namespace inference::mini {

#if defined(KVL_SENTENCEPIECE)

namespace {

using Json = nlohmann::ordered_json;

struct Added {
    std::string_view spelling;
    bool special = true;
};
// The control tokens of the family, in the order of Qwen3's (model specification 7.6).
constexpr Added addedTokens[] = {
    {"<|endoftext|>"}, {"<|im_start|>"}, {"<|im_end|>"},    {"<think>", false}, {"</think>", false},
    {"<img>"},         {"</img>"},       {"<IMG_CONTEXT>"}, {"<quad>"},         {"</quad>"},
    {"<ref>"},         {"</ref>"},       {"<box>"},         {"</box>"}};

/// Text between tags, line by line: tags are tokens of their own.
void addText(std::string_view text, std::vector<std::string>& lines)
{
    std::string line;
    const auto flush = [&] {
        if (!line.empty()) {
            lines.push_back(std::move(line));
        }
        line.clear();
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t end = text[i] == '<' ? text.find('>', i) : std::string_view::npos;
        if (text[i] == '\n' || end != std::string_view::npos) {
            flush();
            i = end != std::string_view::npos ? end : i;
        } else {
            line += text[i];
        }
    }
    flush();
}

std::vector<std::string> corpus(const TokenizerOptions& options)
{
    std::vector<std::string> lines;
    Options drawing;
    drawing.tile = 112;
    drawing.allQuestions = true;
    for (int i = 0; i < options.pictures; ++i) {
        for (const Record& record : generate(options.seed, std::uint64_t(i), drawing).records) {
            for (const std::string& text : {record.question, record.thought, record.answer}) {
                addText(text, lines);
            }
        }
    }
    // rare words, the system messages, the roles and every character that can be typed
    for (int repeat = 0; repeat < 20; ++repeat) {
        for (const std::string& wording : allWordings()) {
            addText(wording, lines);
        }
        for (const auto preset : {SystemPrompt::Preset::Default, SystemPrompt::Preset::Thinking}) {
            addText(systemText({preset, {}}), lines);
        }
        lines.insert(lines.end(), {"system", "user", "assistant"});
    }
    std::string typed;
    for (char c = '!'; c <= '~'; ++c) {
        typed += c;
        typed += ' ';
    }
    lines.push_back(typed + "ä ö ü Ä Ö Ü ß");
    return lines;
}

class Lines : public sentencepiece::SentenceIterator {
public:
    explicit Lines(const std::vector<std::string>& lines)
        : m_lines(lines)
    {
    }
    bool done() const override { return m_at == m_lines.size(); }
    void Next() override { ++m_at; }
    const std::string& value() const override { return m_lines[m_at]; }
    sentencepiece::util::Status status() const override { return {}; }

private:
    const std::vector<std::string>& m_lines;
    std::size_t m_at = 0;
};

/// "▁0,...,▁00,00,▁01,01,..."
std::string numberPieces()
{
    std::string list;
    for (char ones = '0'; ones <= '9'; ++ones) {
        list.append("\xe2\x96\x81").append(1, ones).append(",");
    }
    for (char tens = '0'; tens <= '9'; ++tens) {
        for (char ones = '0'; ones <= '9'; ++ones) {
            const std::string number{tens, ones};
            list.append("\xe2\x96\x81").append(number).append(",").append(number).append(",");
        }
    }
    list.pop_back();
    return list;
}

std::string trainModel(const TokenizerOptions& options)
{
    const std::vector<std::string> lines = corpus(options);
    Lines iterator(lines);
    std::string model;
    const auto status =
        sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                    {"vocab_size", std::to_string(options.pieces)},
                                                    {"hard_vocab_limit", "false"},
                                                    {"character_coverage", "1.0"},
                                                    {"byte_fallback", "true"},
                                                    {"normalization_rule_name", "identity"},
                                                    {"add_dummy_prefix", "false"},
                                                    {"remove_extra_whitespaces", "false"},
                                                    {"split_digits", "true"},
                                                    {"user_defined_symbols", numberPieces()},
                                                    {"unk_id", "0"},
                                                    {"bos_id", "-1"},
                                                    {"eos_id", "-1"},
                                                    {"pad_id", "-1"},
                                                    {"num_threads", "1"},
                                                    {"max_sentence_length", "100000"},
                                                    {"minloglevel", "2"}},
                                                   &iterator, &model);
    if (!status.ok()) {
        throw Error("The tokenizer of kvl-mini cannot be trained (" +
                    std::string(status.error_message()) + ").");
    }
    return model;
}

void write(const std::filesystem::path& file, const std::string& bytes)
{
    const std::filesystem::path part = file.string() + ".part";
    std::ofstream stream(part, std::ios::binary);
    stream.write(bytes.data(), std::streamsize(bytes.size()));
    stream.close();
    std::error_code error;
    if (stream) {
        std::filesystem::rename(part, file, error);
    }
    if (!stream || error) {
        throw Error("The file " + file.string() + " cannot be written" +
                    (error ? " (" + error.message() + ")." : ", perhaps the disk is full."));
    }
}

}  // namespace

void trainTokenizer(const std::filesystem::path& folder, const TokenizerOptions& options)
{
    const std::string model = trainModel(options);
    sentencepiece::SentencePieceProcessor processor;
    if (const auto status = processor.LoadFromSerializedProto(model); !status.ok()) {
        throw Error("The tokenizer of kvl-mini was trained but cannot be read (" +
                    std::string(status.error_message()) + ").");
    }
    Json added = Json::object(), decoder = Json::object(), names = Json::array();
    int id = processor.GetPieceSize();
    for (const Added& token : addedTokens) {
        added[std::string(token.spelling)] = id;
        decoder[std::to_string(id)] = {{"content", token.spelling}, {"lstrip", false},
                                       {"normalized", false},       {"rstrip", false},
                                       {"single_word", false},      {"special", token.special}};
        if (token.special) {
            names.push_back(token.spelling);
        }
        ++id;
    }
    const Json config = {{"tokenizer_class", "LlamaTokenizer"},
                         {"add_bos_token", false},
                         {"add_eos_token", false},
                         {"add_prefix_space", false},
                         {"legacy", false},
                         {"clean_up_tokenization_spaces", false},
                         {"added_tokens_decoder", decoder},
                         {"additional_special_tokens", names},
                         {"unk_token", "<unk>"},
                         {"eos_token", "<|im_end|>"},
                         {"pad_token", "<|endoftext|>"}};
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        throw Error("The folder " + folder.string() + " cannot be made (" + error.message() + ").");
    }
    write(folder / "tokenizer.model", model);
    write(folder / "added_tokens.json", added.dump(2) + "\n");
    write(folder / "tokenizer_config.json", config.dump(2) + "\n");
}

#else

void trainTokenizer(const std::filesystem::path& folder, const TokenizerOptions&)
{
    throw Error("The tokenizer for " + folder.string() +
                " cannot be trained: this program was built without SentencePiece.");
}

#endif

}  // namespace inference::mini
