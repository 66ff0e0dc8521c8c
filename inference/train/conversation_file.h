#pragma once

#include "inference/train/conversations.h"

#include <filesystem>
#include <string>
#include <vector>

namespace inference::train {

struct BadRow {
    std::string where;  // "lungs.jsonl:12"
    std::string what;   // a sentence: what, found, expected
};

/// Conversations of a JSONL file in the forms of InternVL and ms-swift (README.md, Data). The
/// texts are read when it is opened, pictures when they are asked for.
class ConversationFile : public Conversations {
public:
    struct Options {
        std::filesystem::path imageRoot;  // for relative paths; empty: the file's folder
        SystemPrompt system;              // for rows without a system message
        int maxTiles = 12;
        OpenImage openImage;
    };

    /// Throws Error where the file cannot be read. Bad rows are left out and listed.
    ConversationFile(const std::filesystem::path& file, Options options);

    const std::vector<BadRow>& badRows() const { return m_bad; }

    std::int64_t size() const override { return std::int64_t(m_rows.size()); }
    Item at(std::int64_t index) const override;
    std::string where(std::int64_t index) const override;

private:
    struct Row {
        int line = 0;
        Request request;                                 // without pictures
        std::vector<std::vector<std::string>> pictures;  // file names of each message
    };

    Row parse(const std::string& line) const;

    std::filesystem::path m_file;
    Options m_options;
    std::vector<Row> m_rows;
    std::vector<BadRow> m_bad;
};

}  // namespace inference::train
