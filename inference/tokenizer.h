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

    /// Bad UTF-8 becomes U+FFFD, as Hugging Face's decode() (model specification 7.7).
    std::string decode(std::span<const TokenId> ids, bool skipSpecial) const;
};

/// From vocab.json + merges.txt + added_tokens.json, or tokenizer.json alone, or tokenizer.model
/// (SentencePiece). Throws Error that names the file.
std::unique_ptr<Tokenizer> loadTokenizer(const std::filesystem::path& folder);

}  // namespace inference
