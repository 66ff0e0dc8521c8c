#include "inference/sentencepiece_tokenizer.h"

#include "inference/added_tokens.h"
#include "inference/error.h"
#include "inference/utf8.h"

#include <algorithm>

#if defined(KVL_SENTENCEPIECE)
#include <sentencepiece_processor.h>
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

class SentencePieceTokenizer : public Tokenizer {
public:
    SentencePieceTokenizer(const std::filesystem::path& file, std::vector<AddedToken> added)
    {
        if (const auto status = m_model.Load(file.string()); !status.ok()) {
            throw Error("The file " + file.string() + " is not a SentencePiece model (" +
                        status.error_message() + "), perhaps an incomplete download.");
        }
        for (int id = 0; id < m_model.GetPieceSize(); ++id) {
            const bool special = m_model.IsControl(id) || m_model.IsUnknown(id);
            m_tokens.push_back({bytesOf(m_model, id), special});
        }
        for (const AddedToken& token : added) {
            if (std::size_t(token.id) >= m_tokens.size()) {
                m_tokens.resize(std::size_t(token.id) + 1);
            }
            m_tokens[std::size_t(token.id)] = {token.spelling, token.special};
        }
        m_added = AddedTokens(std::move(added));
    }

    std::vector<TokenId> encode(std::string_view utf8, ControlTokens control) const override
    {
        if (const auto bad = firstBadByte(utf8)) {
            throw Error("The text is not UTF-8: byte " + std::to_string(*bad) + " of " +
                        std::to_string(utf8.size()) + " begins no character.");
        }
        std::vector<TokenId> ids;
        const auto plain = [&](std::string_view text) {
            std::vector<int> pieces;
            if (const auto status = m_model.Encode({text.data(), text.size()}, &pieces);
                !status.ok()) {
                throw Error("SentencePiece cannot encode the text (" +
                            std::string(status.error_message()) + ").");
            }
            ids.insert(ids.end(), pieces.begin(), pieces.end());
        };
        if (control == ControlTokens::Recognised) {
            m_added.split(utf8, plain, [&](const AddedToken& token) { ids.push_back(token.id); });
        } else if (!utf8.empty()) {
            plain(utf8);
        }
        return ids;
    }
    std::optional<TokenId> control(std::string_view spelling) const override
    {
        if (const AddedToken* token = m_added.find(spelling)) {
            return token->id;
        }
        const int id = m_model.PieceToId({spelling.data(), spelling.size()});
        return m_model.IsControl(id) ? std::optional<TokenId>(id) : std::nullopt;
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

private:
    struct Token {
        std::string bytes;
        bool special = false;
    };
    bool has(TokenId id) const { return id >= 0 && std::size_t(id) < m_tokens.size(); }

    sentencepiece::SentencePieceProcessor m_model;
    std::vector<Token> m_tokens;  // by id
    AddedTokens m_added;
};

}  // namespace

std::unique_ptr<Tokenizer> readSentencePiece(const std::filesystem::path& folder)
{
    return std::make_unique<SentencePieceTokenizer>(folder / "tokenizer.model",
                                                    readAddedTokens(folder));
}

#else

std::unique_ptr<Tokenizer> readSentencePiece(const std::filesystem::path& folder)
{
    throw Error("The tokenizer " + (folder / "tokenizer.model").string() +
                " is a SentencePiece model, and this program was built without SentencePiece.");
}

#endif

}  // namespace inference
