#pragma once

#include "inference/random_checkpoint.h"
#include "inference/train/conversations.h"
#include "support/seeded_image.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

namespace test {

/// Ten short conversations, every third with a picture.
class FewConversations : public inference::train::Conversations {
public:
    std::int64_t size() const override { return 10; }
    inference::train::Item at(std::int64_t index) const override
    {
        inference::Request request;
        request.system.preset = inference::SystemPrompt::Preset::None;
        request.maxTiles = 2;
        request.messages.push_back(
            {inference::Role::User, "How many is " + std::to_string(index) + "?", {}});
        if (index % 3 == 0) {
            request.messages.front().images.push_back(seededImage(60, 40, std::uint32_t(index)));
        }
        request.messages.push_back(
            {inference::Role::Assistant, "It is " + std::to_string(7 * index), {}});
        return {{std::move(request)}, {}};
    }
    std::string where(std::int64_t index) const override
    {
        return "few:" + std::to_string(index + 1);
    }
};

/// Tiny and of small tiles, so that steps of a training are quick.
inline void writeQuickCheckpoint(const std::filesystem::path& folder,
                                 const std::string& dtype = "F32")
{
    inference::writeCheckpoint(
        folder,
        {.shape = "tiny",
         .seed = 1,
         .dtype = dtype,
         .tokenizer = std::filesystem::path(KVL_TEST_DATA) / "tokenizer-small"});
    nlohmann::json config = nlohmann::json::parse(std::ifstream(folder / "config.json"));
    config["force_image_size"] = 56;
    std::ofstream(folder / "config.json") << config;
}

}  // namespace test
