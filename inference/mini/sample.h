#pragma once

#include "inference/image.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inference::mini {

/// What a picture imitates.
enum class Scene {
    BarChart,
    LineChart,
    ScatterPlot,
    PieChart,
    TwoPanels,
    Ct,
    Mr,
    XRay,
    Ultrasound,
    Endoscopy,
    Tissue,
    Other,  // to be refused
};
inline constexpr int sceneCount = 12;
std::string_view name(Scene scene);  // "bar chart", "CT", ...

/// Classes of things for a head that says what has its centre in a patch.
enum class Thing {
    BrightSpot,
    DarkSpot,
    Bump,
    Opening,
    Nucleus,
    BrownNucleus,
    Bar,
    Line,
    Marker,
    Slice,
};
inline constexpr int thingCount = 10;
std::string_view name(Thing thing);  // "bright spot", ...

inline constexpr std::array<std::string_view, 7> colourNames{"red",    "blue", "green", "orange",
                                                             "purple", "pink", "grey"};

/// A rectangle in percent of the picture's width and height, from its top left.
struct Extent {
    double left = 0, top = 0, right = 0, bottom = 0;

    double x() const { return (left + right) / 2; }
    double y() const { return (top + bottom) / 2; }
    double width() const { return right - left; }
    double height() const { return bottom - top; }
    double size() const { return (width() + height()) / 2; }  // what thoughts call size
};

struct Object {
    Thing thing = Thing::BrightSpot;
    Extent extent;
    int colour = -1;  // index of colourNames; -1: none that is asked for
};

/// One question with all that grading needs.
struct Record {
    std::string kind;      // "count", "side", "box", ..., "refuse"
    std::string question;  // without <image>
    std::string thought;   // what was found and where; empty where the question is refused
    std::string answer;    // in the question's language; boxes as <ref>name</ref><box>[[...]]</box>
    std::string truth;     // the answer in English, "absent" where what is asked for is not there,
                           // "box" where a box is: what a prior is counted over
    std::vector<Extent> boxes;  // what the answer's boxes must meet, exact
};

struct Sample {
    Image image;
    Scene scene = Scene::Other;
    std::vector<Object> objects;
    std::vector<Record> records;
};

struct Options {
    int tile = 224;        // the model's force_image_size: how small things may be drawn
    int difficulty = 100;  // 0: few large clear things; 100: the whole range
    int questions = 5;     // at most, for each picture
    /// The scenes drawn, each as often as the others; empty: all.
    std::vector<Scene> scenes;
    bool clean = false;         // no blur, noise, contrast change or other resolution
    bool allQuestions = false;  // every question the picture gives
    int leaveOut = -1;          // the object with this index is not drawn, all else is the same
};

inline constexpr std::string_view refusal =
    "I am a small demonstration model and cannot read this.";

/// The picture and questions of this seed and index: the same bytes on every machine, from any
/// thread. About 2 ms of one core at 224 pixels.
Sample generate(std::uint64_t seed, std::uint64_t index, const Options& options = {});

/// `<think>thought</think>` on a line and the answer: what the model is to write.
std::string reply(const Record& record);

}  // namespace inference::mini
