#pragma once

#include "inference/engine.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inference {

/// Text to ids and back. Const calls may be made from any thread.
class Tokenizer {
public:
    enum class ControlTokens { AsText, Recognised };

    virtual ~Tokenizer() = default;
    /// No BOS, EOS or prefix is added. `AsText` spells typed control tokens out as ordinary text.
    /// Throws Error where the text is not UTF-8, with the byte's place.
    virtual std::vector<TokenId> encode(std::string_view utf8,
                                        ControlTokens control = ControlTokens::AsText) const = 0;
    /// The id of an added token such as `<IMG_CONTEXT>`.
    virtual std::optional<TokenId> control(std::string_view spelling) const = 0;
    /// The bytes a token stands for, perhaps a part of a UTF-8 character; empty where there are
    /// none.
    virtual std::string_view bytes(TokenId id) const = 0;
    /// Left out of text by skip_special_tokens.
    virtual bool isSpecial(TokenId id) const = 0;
    virtual int size() const = 0;
    /// Its size without the added tokens, and its merges; nothing where it is of another kind than
    /// BPE with a list of merges.
    struct Counts {
        int vocabulary = 0, merges = 0;
        bool operator==(const Counts&) const = default;
    };
    virtual std::optional<Counts> counts() const { return std::nullopt; }
    /// What every prompt begins with, where there is such a token.
    virtual std::optional<TokenId> beginning() const { return std::nullopt; }

    /// As Hugging Face's decode() (model specification 7.7).
    virtual std::string decode(std::span<const TokenId> ids, bool skipSpecial) const;
    /// bytes() of several tokens as text: bad UTF-8 becomes U+FFFD.
    virtual std::string textOf(std::string_view bytes) const;
    /// decode() takes spaces away before punctuation: cleanedUp().
    virtual bool cleansUp() const { return false; }
};

/// Hugging Face's clean_up_tokenization(): no space before . ? ! , and English contractions.
std::string cleanedUp(std::string_view text);
/// How much at the end of the text cleanedUp() may still change when more follows.
std::size_t uncleanedBytes(std::string_view text);

/// Which files loadTokenizer() reads; empty where there are none.
std::string tokenizerFiles(const std::filesystem::path& folder);

/// From vocab.json + merges.txt + added_tokens.json, or tokenizer.model (SentencePiece), or
/// tokenizer.json alone. Throws Error that names the file.
std::unique_ptr<Tokenizer> loadTokenizer(const std::filesystem::path& folder);

}  // namespace inference
