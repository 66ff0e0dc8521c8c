#include "inference/train/swift_command.h"

#include "inference/error.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

using namespace inference::train;
using nlohmann::json;

namespace {

/// Runs the script with a `swift` that writes down its words, one a line.
std::string wordsOf(const std::filesystem::path& folder, const std::string& script)
{
    std::ofstream(folder / "run.sh") << script;
    std::ofstream(folder / "swift") << "#!/bin/sh\nprintf '%s\\n' \"$@\" NPROC $NPROC_PER_NODE "
                                       "MAX_NUM $MAX_NUM > "
                                    << folder.string() << "/words\n";
    const std::string command = "chmod +x " + (folder / "swift").string() +
        " && PATH=" + folder.string() + ":$PATH sh " + (folder / "run.sh").string();
    CHECK_EQUAL(std::system(command.c_str()), 0);
    std::ifstream in(folder / "words");
    std::stringstream text;
    text << in.rdbuf();
    return "\n" + text.str();
}

bool has(const std::string& words, const std::string& option, const std::string& value)
{
    return words.find("\n" + option + "\n" + value + "\n") != std::string::npos;
}

TrainingOptions recipe(const std::filesystem::path& out)
{
    TrainingOptions options;
    options.model = "/models/it's KVL";
    options.out = out / "result";
    options.batch = 2;
    options.accumulate = 16;
    options.freezeVision = true;
    return options;
}

}  // namespace

TEST(theScriptRunsAndHasTheSameRecipe)
{
    const test::TemporaryFolder folder;
    const std::string words = wordsOf(
        folder.path(), swiftScript(recipe(folder.path()), {"/data/a b.jsonl", {}, "S", 6}, 8));
    CHECK(has(words, "--model", "/models/it's KVL"));
    CHECK(has(words, "--dataset", "/data/a b.jsonl"));
    CHECK(has(words, "--system", "S"));
    CHECK(has(words, "--train_type", "full"));
    CHECK(has(words, "--freeze_vit", "true"));
    CHECK(has(words, "--freeze_llm", "false"));
    CHECK(has(words, "--learning_rate", "1e-05"));
    CHECK(has(words, "--lr_scheduler_type", "cosine"));
    CHECK(has(words, "--weight_decay", "0.1"));
    CHECK(has(words, "--max_length", "16384"));
    CHECK(has(words, "--torch_dtype", "bfloat16"));
    CHECK(has(words, "--per_device_train_batch_size", "2"));
    CHECK(has(words, "--gradient_accumulation_steps", "2"));
    CHECK(has(words, "NPROC", "8") && has(words, "MAX_NUM", "6"));
    const json zero = json::parse(std::ifstream(folder.path() / "result" / "zero3.json"));
    CHECK_EQUAL(zero["zero_optimization"]["stage"].get<int>(), 3);
    CHECK(zero["bf16"]["enabled"].get<bool>());
}

TEST(lowRankPartsAreAskedForByName)
{
    const test::TemporaryFolder folder;
    TrainingOptions options = recipe(folder.path());
    options.loraRank = 8;
    options.loraTargets = {"q_proj", "v_proj"};
    const std::string words =
        wordsOf(folder.path(), swiftScript(options, {"/d.jsonl", {}, {}, 12}, 4));
    CHECK(has(words, "--train_type", "lora"));
    CHECK(has(words, "--lora_rank", "8"));
    CHECK(words.find("--target_modules\nq_proj\nv_proj\n") != std::string::npos);
    CHECK(words.find("--freeze_llm") == std::string::npos);
}

TEST(processesThatCannotShareAStepAreRefused)
{
    CHECK_THROWS(inference::Error, swiftScript(recipe("/tmp"), {}, 5), "5 processes cannot share");
}

KVL_TEST_MAIN
