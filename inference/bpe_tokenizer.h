#pragma once

#include "inference/added_tokens.h"
#include "inference/bpe_merges.h"
#include "inference/tokenizer.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace inference {

/// What a byte-level BPE consists of, tokens spelled in the printable byte alphabet (model
/// specification 7.4).
struct BpeParts {
    std::vector<std::pair<std::string, TokenId>> vocabulary;
    std::vector<std::pair<std::string, std::string>> merges;  // by rank
    std::vector<AddedToken> added;
    bool normalize = true;                             // to NFC
    std::filesystem::path vocabularyFile, mergesFile;  // for messages
};

/// Qwen2's tokenizer as Qwen2Tokenizer (the slow one) does it: NFC over the whole text, then added
/// tokens, then words, then merges.
class BpeTokenizer : public Tokenizer {
public:
    /// Throws Error where a byte has no token or a merge does not lead into the vocabulary.
    explicit BpeTokenizer(const BpeParts& parts);

    std::vector<TokenId> encode(std::string_view utf8, ControlTokens control) const override;
    std::optional<TokenId> control(std::string_view spelling) const override;
    std::string_view bytes(TokenId id) const override;
    bool isSpecial(TokenId id) const override;
    int size() const override { return int(m_spans.size()); }
    std::optional<Counts> counts() const override { return m_counts; }

private:
    struct Span {
        std::uint32_t at = 0, size = 0;
        bool special = false;
    };
    void store(TokenId id, std::string_view bytes, bool special);

    std::string m_bytes;        // of all tokens, one behind the other
    std::vector<Span> m_spans;  // by id
    AddedTokens m_added;
    std::optional<BpeMerges> m_merges;
    Counts m_counts;
    bool m_normalize = true;
};

/// From vocab.json, merges.txt and the added tokens of the folder. Throws Error.
std::unique_ptr<Tokenizer> readBpeFiles(const std::filesystem::path& folder);

/// From tokenizer.json. Throws Error where it describes another kind of tokenizer.
std::unique_ptr<Tokenizer> readTokenizerJson(const std::filesystem::path& file);

}  // namespace inference
