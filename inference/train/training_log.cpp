#include "inference/train/training_log.h"

#include "inference/error.h"
#include "inference/train/whole_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace inference::train {
namespace {

using nlohmann::ordered_json;

ordered_json toJson(const StepReport& report)
{
    return {{"step", report.step},
            {"steps", report.steps},
            {"epoch", report.epoch},
            {"loss", report.loss},
            {"gradient_length", report.gradientLength},
            {"learning_rate", report.learningRate},
            {"tokens", report.tokens},
            {"targets", report.targets},
            {"seconds", report.seconds}};
}

template <typename... Values>
std::string formatted(const char* format, Values... values)
{
    char text[200];
    std::snprintf(text, sizeof text, format, values...);
    return text;
}

std::string duration(double seconds)
{
    if (seconds < 90) {
        return formatted("%.0f s", seconds);
    }
    return seconds < 5400 ? formatted("%.0f min", seconds / 60)
                          : formatted("%.1f h", seconds / 3600);
}

constexpr double width = 720, height = 400, left = 60, top = 30, right = 70, bottom = 40;

/// A line through the values, scaled so that 0 is at the bottom and `most` at the top.
std::string curve(const std::vector<StepReport>& steps, double StepReport::*value, double most,
                  const char* colour)
{
    // more points than pixels would only make the file large
    const std::size_t stride = std::max<std::size_t>(1, steps.size() / 1000);
    std::string points;
    for (std::size_t i = 0; i < steps.size(); i += stride) {
        double mean = 0;
        const std::size_t end = std::min(steps.size(), i + stride);
        for (std::size_t k = i; k < end; ++k) {
            mean += steps[k].*value / double(end - i);
        }
        const double x = left +
            (width - left - right) * double(i) / double(std::max<std::size_t>(1, steps.size() - 1));
        const double y = height - bottom - (height - top - bottom) * mean / most;
        points += formatted("%.1f,%.1f ", x, y);
    }
    return formatted("<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"",
                     colour) +
        points + "\"/>\n";
}

double largest(const std::vector<StepReport>& steps, double StepReport::*value)
{
    double most = 1e-30;
    for (const StepReport& one : steps) {
        most = std::max(most, one.*value);
    }
    return most;
}

std::string label(double x, double y, const char* anchor, const std::string& text)
{
    return formatted("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor) + text +
        "</text>\n";
}

}  // namespace

TrainingLog::TrainingLog(const std::filesystem::path& file, std::int64_t done)
    : m_file(file)
{
    std::string kept;
    if (done > 0 && std::filesystem::exists(file)) {
        for (const StepReport& one : readLog(file)) {
            kept += one.step <= done ? toJson(one).dump() + "\n" : "";
        }
    }
    writeWhole(file, kept);
    m_out.open(file, std::ios::binary | std::ios::app);
}

void TrainingLog::add(const StepReport& report)
{
    m_out << toJson(report).dump() << '\n' << std::flush;
    if (!m_out) {
        throw Error(m_file.string() + " could not be written; the disk may be full.");
    }
}

std::vector<StepReport> readLog(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw Error(file.string() + " cannot be read.");
    }
    std::vector<StepReport> steps;
    std::string line;
    while (std::getline(in, line)) {
        const ordered_json one = ordered_json::parse(line, nullptr, false);
        if (!one.is_object() || !one.contains("step")) {
            continue;  // the last line of a run that was killed
        }
        StepReport report;
        report.step = one.value("step", report.step);
        report.steps = one.value("steps", report.steps);
        report.epoch = one.value("epoch", 0.0);
        report.loss = one.value("loss", 0.0);
        report.gradientLength = one.value("gradient_length", 0.0);
        report.learningRate = one.value("learning_rate", 0.0);
        report.tokens = one.value("tokens", report.tokens);
        report.targets = one.value("targets", report.targets);
        report.seconds = one.value("seconds", 0.0);
        steps.push_back(report);
    }
    return steps;
}

std::string curveSvg(const std::vector<StepReport>& steps)
{
    const double loss = largest(steps, &StepReport::loss);
    const double rate = largest(steps, &StepReport::learningRate);
    const double x0 = left, x1 = width - right, y0 = height - bottom, y1 = top;
    std::string svg = formatted("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
                                "height=\"%.0f\" font-family=\"sans-serif\" font-size=\"12\">\n",
                                width, height);
    svg += "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    svg += formatted("<path fill=\"none\" stroke=\"#888\" d=\"M%.0f %.0fV%.0fH%.0fV%.0f\"/>\n", x0,
                     y1, y0, x1, y1);
    if (!steps.empty()) {
        svg += curve(steps, &StepReport::learningRate, rate, "#d95f02");
        svg += curve(steps, &StepReport::loss, loss, "#1b6ca8");
        svg += label(x0, height - 20, "start", std::to_string(steps.front().step));
        svg += label(x1, height - 20, "end", std::to_string(steps.back().step));
    }
    svg += label((x0 + x1) / 2, height - 20, "middle", "step");
    svg += label(x0 - 6, y0 + 4, "end", "0") + label(x1 + 6, y0 + 4, "start", "0");
    svg += label(x0 - 6, y1 + 4, "end", formatted("%.3g", loss));
    svg += label(x1 + 6, y1 + 4, "start", formatted("%.2g", rate));
    svg += "<g fill=\"#1b6ca8\">" + label(x0, 18, "start", "loss") + "</g>\n";
    svg += "<g fill=\"#d95f02\">" + label(x1, 18, "end", "learning rate") + "</g>\n";
    return svg + "</svg>\n";
}

std::string progressLine(const StepReport& report, double secondsPerStep)
{
    return formatted("step %lld/%lld  loss %.4f  lr %.2e  %.2g s/step  %.0f tokens/s  ",
                     static_cast<long long>(report.step), static_cast<long long>(report.steps),
                     report.loss, report.learningRate, secondsPerStep,
                     double(report.tokens) / std::max(1e-9, report.seconds)) +
        duration(secondsPerStep * double(report.steps - report.step)) + " left";
}

}  // namespace inference::train
