#include "inference/mini/scene.h"

#include <algorithm>
#include <cmath>

namespace inference::mini {

Drawing::Drawing(const Options& theOptions, Random& theRandom, int width, int height,
                 const Ink& ink)
    : options(theOptions)
    , random(theRandom)
    , canvas(width, height, ink)
    , m_unit(std::min(width, height) / 100.0)
{
}

Extent Drawing::extentOf(const Oval& oval) const
{
    const Point half = reach(oval);
    return extentOf({oval.centre.x - half.x, oval.centre.y - half.y},
                    {oval.centre.x + half.x, oval.centre.y + half.y});
}

Extent Drawing::extentOf(Point from, Point to) const
{
    const double x = 100.0 / canvas.width(), y = 100.0 / canvas.height();
    return {from.x * x, from.y * y, to.x * x, to.y * y};
}

bool Drawing::add(const Object& object)
{
    objects.push_back(object);
    return int(objects.size()) - 1 != options.leaveOut;
}

std::vector<Object> Drawing::all(Thing thing) const
{
    std::vector<Object> found;
    std::copy_if(objects.begin(), objects.end(), std::back_inserter(found),
                 [&](const Object& object) { return object.thing == thing; });
    return found;
}

void Drawing::ask(std::string_view kind, std::string_view key, const Slots& slots,
                  std::string thought, const std::string& answer, bool germanToo)
{
    const std::optional<std::string> german = inGerman(answer);
    const Wording wording = mini::ask(random, key, slots, germanToo && german);
    records.push_back({std::string(kind),
                       wording.text,
                       std::move(thought),
                       wording.german ? *german : answer,
                       answer,
                       {}});
}

void Drawing::askBox(const std::string& theName, const std::string& the, std::string thought,
                     const Object& object)
{
    const Wording wording = mini::ask(random, "box", {{"the", the}}, true);
    records.push_back({"box",
                       wording.text,
                       std::move(thought),
                       boxAnswer(theName, object.extent),
                       "box",
                       {object.extent}});
}

void Drawing::askAbsent(std::string_view kind, std::string_view key, const Slots& slots,
                        std::string thought, const std::string& answer)
{
    ask(kind, key, slots, std::move(thought), answer);
    records.back().truth = "absent";
}

std::string twoDigits(double percent)
{
    const int whole = std::clamp(nearest(std::max(percent, 0.0)), 0, 99);
    return {char('0' + whole / 10), char('0' + whole % 10)};
}

std::string placeOf(const Extent& extent)
{
    return "at " + twoDigits(extent.x()) + " " + twoDigits(extent.y()) + " size " +
        twoDigits(extent.size());
}

std::string listed(std::string_view many, std::vector<Object> objects)
{
    std::stable_sort(objects.begin(), objects.end(),
                     [](const Object& a, const Object& b) { return a.extent.x() < b.extent.x(); });
    std::string text = std::string(many) + ": ";
    for (const Object& object : objects) {
        text += placeOf(object.extent) + (&object == &objects.back() ? "." : ", ");
    }
    return objects.empty() ? text + "none." : text;
}

std::string boxAnswer(std::string_view theName, const Extent& extent)
{
    // whole percents, in thousandths: the first two digits are those of the thought
    const auto corner = [](double percent) {
        return std::to_string(std::clamp(nearest(std::max(percent, 0.0)), 0, 100) * 10);
    };
    return "<ref>" + std::string(theName) + "</ref><box>[[" + corner(extent.left) + ", " +
        corner(extent.top) + ", " + corner(extent.right) + ", " + corner(extent.bottom) +
        "]]</box>";
}

const Object* clearlyLargest(const std::vector<Object>& things)
{
    const Object* best = nullptr;
    for (const Object& thing : things) {
        best = !best || thing.extent.size() > best->extent.size() ? &thing : best;
    }
    const bool clear = std::all_of(things.begin(), things.end(), [&](const Object& thing) {
        return &thing == best || thing.extent.size() * 1.18 <= best->extent.size();
    });
    return clear ? best : nullptr;
}

namespace {

void askWhere(Drawing& drawing, const Noun& noun, const std::vector<Object>& things)
{
    const std::string the = "the largest " + noun.one;
    const std::string list = listed(noun.many, things);
    if (things.empty()) {
        const std::string none = "There is no " + noun.one + ".";
        // A clear largest is not always there to be asked about; nor is its absence asked about
        // always.
        for (const std::string_view kind : {"side", "place", "box"}) {
            if (drawing.random.chance(60)) {
                drawing.askAbsent(kind, kind, {{"the", the}}, list, none);
            } else {
                drawing.skip(kind);
            }
        }
        return;
    }
    const Object* largest = clearlyLargest(things);
    if (!largest) {
        for (const std::string_view kind : {"side", "place", "box"}) {
            drawing.skip(kind);
        }
        return;
    }
    const Extent& extent = largest->extent;
    const std::string thought = list + " largest " + placeOf(extent) + ".";
    const bool offX = std::fabs(extent.x() - 50) > 4, offY = std::fabs(extent.y() - 50) > 4;
    const std::string side = extent.x() < 50 ? "left" : "right";
    if (offX) {
        drawing.ask("side", "side", {{"the", the}}, thought, side);
    } else {
        drawing.skip("side");
    }
    if (offX && offY) {
        drawing.ask("place", "place", {{"the", the}}, thought,
                    (extent.y() < 50 ? "upper " : "lower ") + side);
    } else {
        drawing.skip("place");
    }
    drawing.askBox(noun.one, the,
                   thought + " from " + twoDigits(extent.left) + " " + twoDigits(extent.top) +
                       " to " + twoDigits(extent.right) + " " + twoDigits(extent.bottom) + ".",
                   *largest);
}

void askYesOrNo(Drawing& drawing, const Noun& noun, const std::vector<Object>& things, int least,
                int most)
{
    const std::string list = listed(noun.many, things);
    const int count = int(things.size());
    // Only where both halves would be answered differently, so that neither answer is likelier.
    const auto on = [&](bool left) {
        return std::any_of(things.begin(), things.end(), [&](const Object& thing) {
            return left ? thing.extent.x() < 50 : thing.extent.x() > 50;
        });
    };
    const bool clear = std::all_of(things.begin(), things.end(), [](const Object& thing) {
        return std::fabs(thing.extent.x() - 50) > 4;
    });
    if (clear && on(true) != on(false)) {
        const bool left = drawing.random.chance(50);
        drawing.ask("yesno", "half", {{"one", noun.one}, {"side", left ? "left" : "right"}}, list,
                    on(left) ? "yes" : "no");
    } else {
        drawing.skip("yesno");
    }
    // The threshold is in the middle of the range, so that it says nothing.
    const int range = most - least + 1;
    const int threshold =
        range % 2 == 0 ? least + range / 2 - 1 : least + range / 2 - drawing.random.below(2);
    const std::string thought = list + " count " + std::to_string(count) + ".";
    const std::string answer = count > threshold ? "yes" : "no";
    if (threshold == 1) {
        drawing.ask("yesno", "morethanone", {{"one", noun.one}}, thought, answer);
    } else if (threshold > 1) {
        drawing.ask("yesno", "morethan", {{"n", std::to_string(threshold)}, {"many", noun.many}},
                    thought, answer);
    }
    // Absence is rarer than presence by as much as presence is asked about less.
    if (least == 0 && (count == 0 || drawing.random.below(most) == 0)) {
        drawing.ask("yesno", "any", {{"one", noun.one}}, list, count > 0 ? "yes" : "no");
    } else {
        drawing.skip("yesno");
    }
}

}  // namespace

void askAboutThings(Drawing& drawing, const Noun& noun, const std::vector<Object>& things,
                    int least, int most)
{
    drawing.ask("count", "count", {{"many", noun.many}},
                listed(noun.many, things) + " count " + std::to_string(things.size()) + ".",
                std::to_string(things.size()));
    askWhere(drawing, noun, things);
    askYesOrNo(drawing, noun, things, least, most);
}

}  // namespace inference::mini
