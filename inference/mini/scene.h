#pragma once

#include "inference/mini/canvas.h"
#include "inference/mini/random.h"
#include "inference/mini/sample.h"
#include "inference/mini/wording.h"

#include <string>
#include <string_view>
#include <vector>

namespace inference::mini {

/// A picture in the making. Everything random comes from `random`, in an order that does not
/// depend on what is left out.
class Drawing {
public:
    Drawing(const Options& options, Random& random, int width, int height, const Ink& ink);

    const Options& options;
    Random& random;
    Canvas canvas;
    std::vector<Object> objects;
    std::vector<Record> records;

    /// Percent of the shorter side in pixels.
    double percent(double share) const { return share * m_unit; }
    /// A value between that of difficulty 0 and that of 100.
    double eased(double easy, double hard) const
    {
        return easy + (hard - easy) * options.difficulty / 100;
    }
    Extent extentOf(const Oval& oval) const;
    Extent extentOf(Point from, Point to) const;
    /// Adds it, and says whether it is to be drawn.
    bool add(const Object& object);
    std::vector<Object> all(Thing thing) const;
    std::uint64_t newSeed() { return random.next(); }

    /// `answer` in English. `kind` is what scores are counted by, `key` the wording.
    void ask(std::string_view kind, std::string_view key, const Slots& slots, std::string thought,
             const std::string& answer, bool germanToo = true);
    void askBox(const std::string& name, const std::string& the, std::string thought,
                const Object& object);
    /// A question that this picture cannot be asked. It takes part in the choice of questions, so
    /// that the chance of the others does not depend on what the picture shows.
    void skip(std::string_view kind) { records.push_back({std::string(kind), "", "", "", "", {}}); }
    /// "absent" as truth.
    void askAbsent(std::string_view kind, std::string_view key, const Slots& slots,
                   std::string thought, const std::string& answer);

private:
    double m_unit;
};

/// "31": two digits of a percent value.
std::string twoDigits(double percent);
/// "at 31 44 size 12"
std::string placeOf(const Extent& extent);
/// "bright spots: at 31 44 size 12, at 70 52 size 09." or "bright spots: none.", from the left.
std::string listed(std::string_view many, std::vector<Object> objects);
std::string boxAnswer(std::string_view name, const Extent& extent);

/// The largest where it is so by a clear margin, else null.
const Object* clearlyLargest(const std::vector<Object>& things);

/// What there is one or many of, with the questions about it.
struct Noun {
    std::string one, many;  // "bright spot", "bright spots"
};

/// Questions on a set of alike things: count, side, quarter, box of the largest, yes or no.
/// `most`: the count is spread evenly over least .. most.
void askAboutThings(Drawing& drawing, const Noun& noun, const std::vector<Object>& things,
                    int least, int most);

// Each draws one kind of picture and adds its objects and questions.
void drawPhantom(Drawing& drawing, Scene scene);
void drawEndoscopy(Drawing& drawing);
void drawTissue(Drawing& drawing);
void drawChart(Drawing& drawing, Scene scene);
void drawPanels(Drawing& drawing);
void drawOther(Drawing& drawing);
bool isColoured(Scene scene);

}  // namespace inference::mini
