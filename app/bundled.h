#pragma once

#include <filesystem>

/// What comes with the program: the demonstration model and a study to try it on.
namespace app {

struct Bundled {
    std::filesystem::path model;  // checkpoint folder; empty where the weights are not there
    std::filesystem::path demo;   // with its demo.json; empty where it is not there
};

/// In the folder that the environment variable KVL_RESOURCES names; else in `resources` of the
/// sources for a program run from where it was built, and in the share folder beside an installed
/// one.
Bundled findBundled();

}  // namespace app
