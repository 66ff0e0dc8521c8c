#pragma once

#include "inference/train/training.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace inference::train {

/// One JSON object a step. Lines of steps that a resumed training does again are dropped.
class TrainingLog {
public:
    /// `done` steps are kept of what the file has. Throws Error.
    TrainingLog(const std::filesystem::path& file, std::int64_t done);
    void add(const StepReport& report);

private:
    std::filesystem::path m_file;
    std::ofstream m_out;
};

/// The steps in a log. Throws Error.
std::vector<StepReport> readLog(const std::filesystem::path& file);

/// Loss and learning rate over the steps, as an SVG picture.
std::string curveSvg(const std::vector<StepReport>& steps);

/// "step 120/300  loss 1.234  lr 9.1e-06  3.1 s/step  842 tokens/s  9 min left".
std::string progressLine(const StepReport& report, double secondsPerStep);

}  // namespace inference::train
