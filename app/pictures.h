#pragma once

#include "app/arguments.h"
#include "inference/engine.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// Pictures for the command line. Two sources: pictures.cpp opens them through ui/model,
/// pictures_none.cpp stands in where the program was built with KVL_ENGINE_ONLY.
namespace app {

struct Region {
    int x = 0, y = 0, width = 0, height = 0;
};

/// Frames counted from 0, both ends included.
struct FrameRange {
    int first = 0, last = 0, step = 1;
};

/// A picture as the user names it.
struct PictureChoice {
    std::string file;
    int frame = 0;
    std::optional<FrameRange> frames;                 // of a video, instead of `frame`
    std::optional<std::pair<double, double>> window;  // centre, width
    std::optional<Region> region;
    std::string password;  // of an encrypted PDF; goes into nothing that is written or said
    bool asShown = false;
};

/// Takes --frame, --frames, --window, --region, --as-shown and --password into the choice; leaves
/// other options alone. Throws UsageError.
void applyChoice(PictureChoice& choice, const Arguments::Item& option);

struct OpenedFrame;

/// The pixels the model is given, and where they come from.
struct Picture {
    PictureChoice choice;  // `frame` is the one that was read
    std::string label;     // of the frame: "0:04.2", "slice 12 of 40"
    inference::Image image;
    std::string note;  // how the model's picture differs from what a viewer shows
    std::shared_ptr<const OpenedFrame> frame;  // the whole of it, for a report
};

/// What opening pictures and writing reports needs, for as long as the result lives: once, on the
/// main thread. Fonts and PDF pages want Qt's application object; no screen is used.
std::shared_ptr<void> startPictures();

/// The one frame, or all of the range, in order. Throws an exception whose message is a sentence.
std::vector<Picture> openPictures(const PictureChoice& choice, const std::stop_token& stop = {});
Picture openPicture(const PictureChoice& choice);

/// Writes 8-bit RGB as PNG, whole or not at all.
void writePng(const inference::Image& image, const std::string& file);

/// What `kvl info` says of a picture, document or study.
nlohmann::ordered_json describeDocument(const std::string& path, const std::string& password);

/// Throws a sentence where writeReport() could not write such a file: before an answer is waited
/// for.
void checkReport(const std::string& file);

/// Writes PDF or HTML by the suffix: the history, then the question with its answer.
void writeReport(const std::string& file, const std::vector<Picture>& pictures,
                 const inference::Request& request, const inference::Answer& answer,
                 const inference::ModelInfo& model, const std::string& question);

}  // namespace app
