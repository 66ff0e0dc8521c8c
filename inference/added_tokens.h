#pragma once

#include "inference/tokenizer.h"

#include <array>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace inference {

/// A token outside of the base vocabulary, found in text by its spelling.
struct AddedToken {
    TokenId id = 0;
    std::string spelling;
    bool special = false;
};

/// The added tokens of a tokenizer: which there are, and where they stand in text.
class AddedTokens {
public:
    AddedTokens() = default;
    explicit AddedTokens(std::vector<AddedToken> tokens);

    const std::vector<AddedToken>& all() const { return m_tokens; }
    const AddedToken* find(std::string_view spelling) const;
    const AddedToken* find(TokenId id) const;

    /// Cuts the text at its added tokens, leftmost first, the longest at a place; calls `plain` for
    /// each stretch between them and `added` for each of them, in order.
    void split(std::string_view text, const std::function<void(std::string_view)>& plain,
               const std::function<void(const AddedToken&)>& added) const;

private:
    std::vector<AddedToken> m_tokens;
    std::array<std::vector<std::size_t>, 256> m_byFirstByte;  // indices, the longest first
    std::unordered_map<std::string_view, std::size_t> m_bySpelling;
    std::unordered_map<TokenId, std::size_t> m_byId;
};

/// Reads added_tokens.json and the added_tokens_decoder of tokenizer_config.json, where they are.
/// Throws Error that names the file.
std::vector<AddedToken> readAddedTokens(const std::filesystem::path& folder);

/// Throws Error where the entry asks for lstrip, rstrip or single_word (spaces beside the token
/// that belong to it, or none within words): no tokenizer of this model family does.
void checkAddedTokenFlags(const std::filesystem::path& file, const nlohmann::json& token);

/// A JSON file; throws Error that names it where it is missing or broken.
nlohmann::json readJson(const std::filesystem::path& file);

}  // namespace inference
