#include "inference/sentencepiece_tokenizer.h"

#include "inference/added_tokens.h"
#include "inference/error.h"
#include "inference/utf8.h"

#if defined(KVL_SENTENCEPIECE)
#include <nlohmann/json.hpp>
#include <sentencepiece_processor.h>

#include <array>
#include <cstddef>

/// Debian's libsentencepiece and libtorch's libc10 both have a variable of this name, the one of 32
/// bytes, the other of 4, and the loader gives both libraries the first that it finds. Were that
/// libc10's, SentencePiece would write over what lies behind it while the program starts: the flag
/// that makes abort() of an exception, so that a lack of main memory ended the program. This one,
/// in the program itself, comes first and is large enough. libc10 reads it in its own start-up from
/// a command line only, which we have no use for.
[[gnu::used, gnu::visibility("default")]] std::array<std::max_align_t, 8> FLAGS_minloglevel{};
#endif

namespace inference {

#if defined(KVL_SENTENCEPIECE)

namespace {

/// A piece's bytes: U+2581 stands for a space, <0xE4> for a byte.
std::string bytesOf(const sentencepiece::SentencePieceProcessor& model, int id)
{
    std::string piece = model.IdToPiece(id);
    if (model.IsByte(id) && piece.size() == 6) {
        return {char(std::stoi(piece.substr(3, 2), nullptr, 16))};
    }
    constexpr std::string_view mark = "\xe2\x96\x81";
    for (std::size_t at = piece.find(mark); at != std::string::npos;
         at = piece.find(mark, at + 1)) {
        piece.replace(at, mark.size(), " ");
    }
    return piece;
}

/// What tokenizer_config.json says, with the defaults of InternLM2Tokenizer.
struct Settings {
    bool beginning = true;  // <s> in front of every prompt
    bool cleansUp = true;
};

Settings readSettings(const std::filesystem::path& folder)
{
    const std::filesystem::path file = folder / "tokenizer_config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
        return {};
    }
    const nlohmann::json config = readJson(file);
    try {
        Settings settings;
        settings.beginning = config.value("add_bos_token", true);
        std::string type = config.value("tokenizer_class", std::string("InternLM2Tokenizer"));
        if (type.ends_with("Fast")) {
            type.resize(type.size() - 4);
        }
        if (type != "InternLM2Tokenizer" && type != "LlamaTokenizer") {
            throw Error("The file " + file.string() + " asks for the tokenizer class " + type +
                        "; InternLM2Tokenizer or LlamaTokenizer is expected beside "
                        "tokenizer.model.");
        }
        settings.cleansUp = type == "InternLM2Tokenizer";
        return settings;
    } catch (const nlohmann::json::exception& error) {
        throw Error("The file " + file.string() + " is not of the expected form (" + error.what() +
                    ").");
    }
}

/// InternLM2Tokenizer, the slow one: each piece of text between added tokens is encoded by itself,
/// with the space in front of it that the model file asks for.
class SentencePieceTokenizer : public Tokenizer {
public:
    SentencePieceTokenizer(const std::filesystem::path& file, std::vector<AddedToken> added,
                           Settings settings)
        : m_settings(settings)
    {
        if (const auto status = m_model.Load(file.string()); !status.ok()) {
            throw Error("The file " + file.string() + " is not a SentencePiece model (" +
                        status.error_message() + "), perhaps an incomplete download.");
        }
        m_pieces = m_model.GetPieceSize();
        for (int id = 0; id < m_pieces; ++id) {
            const bool special = m_model.IsControl(id) || m_model.IsUnknown(id);
            m_tokens.push_back({bytesOf(m_model, id), special, special});
        }
        for (const AddedToken& token : added) {
            if (std::size_t(token.id) >= m_tokens.size()) {
                m_tokens.resize(std::size_t(token.id) + 1);
            }
            m_tokens[std::size_t(token.id)] = {token.spelling, token.special, true};
        }
        // <unk>, <s> and </s> are found in text even where no file lists them
        const AddedTokens listed(added);
        for (int id = 0; id < m_pieces; ++id) {
            if ((m_model.IsControl(id) || m_model.IsUnknown(id)) && !listed.find(TokenId(id))) {
                added.push_back({TokenId(id), m_model.IdToPiece(id), true});
            }
        }
        m_added = AddedTokens(std::move(added));
        if (settings.beginning && m_model.bos_id() < 0) {
            throw Error("The file " + file.string() +
                        " has no token that begins a text (<s>), and tokenizer_config.json asks "
                        "for one (add_bos_token); the files are probably from different models.");
        }
    }

    std::vector<TokenId> encode(std::string_view utf8, ControlTokens control) const override
    {
        if (const auto bad = firstBadByte(utf8)) {
            throw Error("The text is not UTF-8: byte " + std::to_string(*bad) + " of " +
                        std::to_string(utf8.size()) + " begins no character.");
        }
        std::vector<TokenId> ids;
        if (control == ControlTokens::Recognised) {
            const auto plain = [&](std::string_view text) {
                const std::vector<int> pieces = encodePlain(text);
                ids.insert(ids.end(), pieces.begin(), pieces.end());
            };
            m_added.split(utf8, plain, [&](const AddedToken& token) { ids.push_back(token.id); });
        } else if (!utf8.empty()) {
            for (const int id : encodePlain(utf8)) {
                if (m_tokens[std::size_t(id)].added && !m_model.IsUnknown(id)) {
                    spellOut(id, ids);
                } else {
                    ids.push_back(id);
                }
            }
        }
        return ids;
    }
    std::optional<TokenId> control(std::string_view spelling) const override
    {
        const AddedToken* token = m_added.find(spelling);
        return token ? std::optional(token->id) : std::nullopt;
    }
    std::string_view bytes(TokenId id) const override
    {
        return has(id) ? std::string_view(m_tokens[std::size_t(id)].bytes) : std::string_view();
    }
    bool isSpecial(TokenId id) const override
    {
        return has(id) && m_tokens[std::size_t(id)].special;
    }
    int size() const override { return int(m_tokens.size()); }
    std::optional<TokenId> beginning() const override
    {
        return m_settings.beginning ? std::optional<TokenId>(m_model.bos_id()) : std::nullopt;
    }
    std::string decode(std::span<const TokenId> ids, bool skipSpecial) const override;
    std::string textOf(std::string_view bytes) const override
    {
        return withoutBadBytes(bytes, BadPart::Byte);
    }
    bool cleansUp() const override { return m_settings.cleansUp; }

private:
    struct Token {
        std::string bytes;
        bool special = false;
        bool added = false;
    };
    bool has(TokenId id) const { return id >= 0 && std::size_t(id) < m_tokens.size(); }
    std::vector<int> encodePlain(std::string_view text) const;
    /// Some models have placeholder pieces, [UNUSED_TOKEN_145], at the ids of control tokens: typed
    /// text must not become one.
    void spellOut(int id, std::vector<TokenId>& ids) const;
    std::string decodeRun(std::span<const TokenId> ids) const;

    sentencepiece::SentencePieceProcessor m_model;
    Settings m_settings;
    int m_pieces = 0;             // of the model file
    std::vector<Token> m_tokens;  // by id
    AddedTokens m_added;
};

std::vector<int> SentencePieceTokenizer::encodePlain(std::string_view text) const
{
    std::vector<int> pieces;
    if (const auto status = m_model.Encode({text.data(), text.size()}, &pieces); !status.ok()) {
        throw Error("SentencePiece cannot encode the text (" + std::string(status.error_message()) +
                    ").");
    }
    return pieces;
}

void SentencePieceTokenizer::spellOut(int id, std::vector<TokenId>& ids) const
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : bytesOf(m_model, id)) {
        const auto byte = static_cast<unsigned char>(c);
        const std::string piece{'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
        ids.push_back(m_model.PieceToId(piece));  // <unk> where there are no bytes
    }
}

/// InternLM2Tokenizer's convert_tokens_to_string(): SentencePiece decodes what stands between
/// special tokens, each group of which gets a space in front.
std::string SentencePieceTokenizer::decodeRun(std::span<const TokenId> ids) const
{
    std::string text;
    std::vector<int> pieces;
    const auto flush = [&] {
        std::string part;
        if (const auto status = m_model.Decode(pieces, &part); !status.ok()) {
            throw Error("SentencePiece cannot decode the tokens (" +
                        std::string(status.error_message()) + ").");
        }
        text += part;
        pieces.clear();
    };
    bool afterSpecial = false;
    for (const TokenId id : ids) {
        if (!isSpecial(id)) {
            pieces.push_back(id);
        } else {
            text += afterSpecial ? "" : " ";
            flush();
            text += bytes(id);
        }
        afterSpecial = isSpecial(id);
    }
    flush();
    return m_settings.cleansUp ? cleanedUp(text) : text;
}

/// Added tokens behind the model's own pieces stand apart, with a space on each side.
std::string SentencePieceTokenizer::decode(std::span<const TokenId> ids, bool skipSpecial) const
{
    std::string text;
    bool begun = false;
    const auto append = [&](std::string_view part) {
        text.append(begun ? " " : "").append(part);
        begun = true;
    };
    std::vector<TokenId> run;
    for (const TokenId id : ids) {
        if (!has(id) || (skipSpecial && isSpecial(id))) {
            continue;
        }
        if (m_tokens[std::size_t(id)].added && (!isSpecial(id) || id >= m_pieces)) {
            if (const std::string part = decodeRun(run); !part.empty()) {
                append(part);
            }
            run.clear();
            append(bytes(id));
        } else {
            run.push_back(id);
        }
    }
    if (!run.empty()) {
        append(decodeRun(run));
    }
    return text;
}

}  // namespace

std::unique_ptr<Tokenizer> readSentencePiece(const std::filesystem::path& folder)
{
    return std::make_unique<SentencePieceTokenizer>(folder / "tokenizer.model",
                                                    readAddedTokens(folder), readSettings(folder));
}

#else

std::unique_ptr<Tokenizer> readSentencePiece(const std::filesystem::path& folder)
{
    throw Error("The tokenizer " + (folder / "tokenizer.model").string() +
                " is a SentencePiece model, and this program was built without SentencePiece.");
}

#endif

}  // namespace inference
