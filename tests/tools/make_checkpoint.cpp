// make_checkpoint [--shape tiny] [--seed 1] [--dtype F32|BF16] [--shards 2 | --shard-bytes N]
//                 --tokenizer DIR OUT
// --shape 14b --dtype BF16 --shard-bytes 5000000000 makes KVL's own size and files.
// Random weights in the published layout, for tests, benchmarks and trying the program: what such
// a model writes has no meaning.
#include "inference/random_checkpoint.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

int main(int argc, char** argv)
{
    inference::CheckpointOptions options;
    std::string out;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        const auto is = [&](const char* option) { return name == option && i + 1 < argc; };
        if (is("--shape")) {
            options.shape = argv[++i];
        } else if (is("--seed")) {
            options.seed = std::strtoull(argv[++i], nullptr, 10);
        } else if (is("--dtype")) {
            options.dtype = argv[++i];
        } else if (is("--shards")) {
            options.shards = std::atoi(argv[++i]);
        } else if (is("--shard-bytes")) {
            options.shardBytes = std::atoll(argv[++i]);
        } else if (is("--tokenizer")) {
            options.tokenizer = argv[++i];
        } else if (!name.starts_with("--") && out.empty()) {
            out = name;
        } else {
            out.clear();
            break;
        }
    }
    if (out.empty() || options.tokenizer.empty() ||
        (options.dtype != "F32" && options.dtype != "BF16")) {
        std::fprintf(stderr,
                     "make_checkpoint [--shape %s] [--seed N] [--dtype F32|BF16] [--shards N | "
                     "--shard-bytes N] "
                     "--tokenizer DIR OUT\n",
                     inference::shapeNames().c_str());
        return 2;
    }
    try {
        inference::writeCheckpoint(out, options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
