#include "inference/mini/scene.h"
#include "inference/mini/spots.h"

#include <cmath>

namespace inference::mini {

namespace {

struct Organ {
    std::string name;
    Oval oval;
};

/// What a phantom consists of, and which part of it spots lie in.
struct Body {
    Oval outline;                // spots lie inside
    std::vector<Organ> organs;   // asked about; inside the outline, apart from each other
    std::vector<Oval> reserved;  // no spots here
    bool gaps = true;            // spots may lie in none of the organs
};

/// Adds to grey: `strength` times a random field.
void addCloud(Drawing& drawing, double cell, double strength)
{
    Canvas& canvas = drawing.canvas;
    const std::vector<float> field =
        cloud(canvas.width(), canvas.height(), drawing.percent(cell), drawing.newSeed());
    const float* value = field.data();
    const auto scale = float(strength);
    canvas.visit([&](float, float, float* pixel) {
        const float change = *value++ * scale;
        pixel[0] += change;
        pixel[1] += change;
        pixel[2] += change;
    });
}

/// Where the camera looks: percent of the body's own frame to pixels. The frame is about the
/// picture's, zoomed and moved a little.
struct View {
    explicit View(Drawing& drawing)
        : random(drawing.random)
        , w(drawing.canvas.width() / 100.0)
        , h(drawing.canvas.height() / 100.0)
    {
        const double zoom = random.real(drawing.eased(0.98, 0.86), drawing.eased(1, 1.08));
        left = (50 - 50 * zoom + random.real(-3, 3)) * w;
        top = (50 - 50 * zoom + random.real(-3, 3)) * h;
        w *= zoom;
        h *= zoom;
    }
    Point at(double x, double y) const { return {left + x * w, top + y * h}; }
    /// An oval, each a little different.
    Oval oval(double x, double y, double a, double b, double turn = 0) const
    {
        const Point moved{x + random.real(-1, 1), y + random.real(-1, 1)};
        return {at(moved.x, moved.y), a * random.real(0.93, 1.05) * w,
                b * random.real(0.93, 1.05) * h, turn + random.real(-0.015, 0.015)};
    }

    Random& random;
    double w, h;  // pixels a percent
    double left = 0, top = 0;
};

Body drawCt(Drawing& drawing, const View& view)
{
    Canvas& canvas = drawing.canvas;
    Body body;
    const Oval skin = view.oval(50, 50, 46, 38);
    body.outline = {skin.centre, skin.a * 0.94, skin.b * 0.94, skin.turn};
    canvas.oval(skin, grey(62));
    canvas.oval(body.outline, grey(98));
    body.organs = {{"liver", view.oval(29, 48, 17, 24, 0.03)},
                   {"spleen", view.oval(79, 57, 9, 14, -0.05)},
                   {"stomach", view.oval(66, 33, 14, 11, 0.06)}};
    canvas.oval(body.organs[0].oval, grey(128), 2);
    canvas.oval(body.organs[1].oval, grey(135), 2);
    canvas.oval(body.organs[2].oval, grey(76), 2);
    addCloud(drawing, 9, 5);
    addCloud(drawing, 2.5, 4);
    const Oval spine = view.oval(51, 71, 5.5, 5);
    canvas.line({spine.centre.x - spine.a * 1.9, spine.centre.y + spine.b * 1.2},
                {spine.centre.x + spine.a * 1.9, spine.centre.y + spine.b * 1.2},
                drawing.percent(2.4), grey(158));
    canvas.line(spine.centre, {spine.centre.x, spine.centre.y + spine.b * 2.3},
                drawing.percent(2.8), grey(158));
    canvas.oval(spine, grey(160), 2);
    canvas.oval(
        {{spine.centre.x, spine.centre.y + spine.b * 1.1}, spine.a * 0.42, spine.b * 0.36, 0},
        grey(84));
    body.reserved = {
        {{spine.centre.x, spine.centre.y + spine.b * 0.7}, spine.a * 2.4, spine.b * 2.2, 0}};
    const Oval table{view.at(50, 20), 90 * view.w, 74 * view.h, 0};
    if (drawing.random.chance(60)) {
        canvas.ring(table, drawing.percent(0.9), grey(48));
    }
    return body;
}

Body drawMr(Drawing& drawing, const View& view)
{
    Canvas& canvas = drawing.canvas;
    const bool mirrored = drawing.random.chance(50);
    const auto x = [&](double value) { return mirrored ? 100 - value : value; };
    const double sign = mirrored ? -1 : 1;
    canvas.rectangle(view.at(37, 70), {view.at(63, 0).x, double(canvas.height())}, grey(92));
    const Oval head = view.oval(50, 47, 45, 44);
    canvas.oval(head, grey(150), 2);
    canvas.oval({head.centre, head.a * 0.94, head.b * 0.94, head.turn}, grey(28), 2);
    Body body;
    body.gaps = false;
    body.outline = {head.centre, head.a * 0.9, head.b * 0.9, head.turn};
    canvas.oval(body.outline, grey(58), 2);
    body.organs = {{"cerebrum", view.oval(50, 38, 35, 26, sign * 0.015)},
                   {"cerebellum", view.oval(x(66), 74, 15, 9.5, sign * -0.05)}};
    canvas.line(view.at(x(50), 60), {view.at(x(46), 0).x, canvas.height() + 10.0},
                drawing.percent(8), grey(112));
    canvas.oval(body.organs[0].oval, grey(118), 2);
    canvas.oval(body.organs[1].oval, grey(100), 2);
    addCloud(drawing, 4, 13);
    addCloud(drawing, 12, 8);
    canvas.ring({view.at(50, 42), 16 * view.w, 9 * view.h, sign * 0.02}, drawing.percent(1.6),
                grey(142));
    return body;
}

Body drawXRay(Drawing& drawing, const View& view)
{
    Canvas& canvas = drawing.canvas;
    const double bottom = canvas.height() + 10.0;
    canvas.oval({view.at(50, 74), 60 * view.w, 66 * view.h, 0}, grey(118), drawing.percent(5));
    canvas.rectangle(view.at(0, 95), {double(canvas.width()), bottom}, grey(118));
    canvas.line({view.at(50, 0).x, -10}, view.at(50, 30), drawing.percent(24), grey(112));
    const double side = drawing.random.chance(15) ? -1 : 1;
    const Oval lungs[] = {view.oval(27, 49, 17, 33, 0.02), view.oval(73, 49, 17, 33, -0.02)};
    for (const Oval& lung : lungs) {
        canvas.oval(lung, grey(74), drawing.percent(2));
        const double half = lung.a * 1.15, drop = lung.b * (&lung == lungs ? 0.1 : -0.1);
        for (int rib = 0; rib < 7; ++rib) {
            const double y = lung.centre.y + lung.b * (rib * 0.26 - 0.8);
            canvas.line({lung.centre.x - half, y + drop}, {lung.centre.x + half, y - drop},
                        drawing.percent(1.6), grey(90));
        }
    }
    canvas.line({view.at(50, 0).x, -10}, {view.at(50, 0).x, bottom}, drawing.percent(7), grey(134));
    const Oval heart = view.oval(50 + side * 6, 66, 16, 17, side * 0.06);
    canvas.oval(heart, grey(150), drawing.percent(2));
    canvas.line(view.at(12, 17), view.at(46, 22), drawing.percent(2), grey(140));
    canvas.line(view.at(88, 17), view.at(54, 22), drawing.percent(2), grey(140));
    addCloud(drawing, 14, 8);
    Body body;
    body.outline = {view.at(50, 56), 46 * view.w, 38 * view.h, 0};
    body.organs = {{"heart", heart}, {"lung", lungs[0]}, {"lung", lungs[1]}};
    return body;
}

/// Black outside of the sector that the probe sees.
void drawFan(Drawing& drawing, const View& view)
{
    const Point apex = view.at(50, -14);
    const float apexX = float(apex.x), apexY = float(apex.y);
    const float spread = float(0.60 * view.w / view.h);
    const float nearEnd = float(20 * view.h), farEnd = float(112 * view.h);
    drawing.canvas.visit([&](float x, float y, float* pixel) {
        const float dx = x - apexX, dy = y - apexY;
        const float aside = (std::fabs(dx) - dy * spread) * 0.85F;
        const float far = std::sqrt(dx * dx + dy * dy);
        const float outside = std::max(aside, std::max(far - farEnd, nearEnd - far));
        const float share = std::clamp(0.5F - outside, 0.0F, 1.0F);
        pixel[0] = pixel[1] = pixel[2] = 3 + (pixel[0] - 3) * share;
    });
}

Body drawUltrasound(Drawing& drawing, const View& view)
{
    Canvas& canvas = drawing.canvas;
    const bool mirrored = drawing.random.chance(50);
    Body body;
    body.outline = {view.at(50, 57), 34 * view.w, 36 * view.h, 0};
    body.organs = {{"liver", view.oval(mirrored ? 66 : 34, 46, 16, 19, 0.03)},
                   {"kidney", view.oval(mirrored ? 36 : 64, 66, 17, 12, mirrored ? 0.05 : -0.05)}};
    canvas.rectangle({0, 0}, {double(canvas.width()), double(canvas.height())}, grey(102));
    canvas.oval(body.organs[0].oval, grey(136), drawing.percent(1.5));
    canvas.oval(body.organs[1].oval, grey(76), drawing.percent(1.5));
    const Oval& kidney = body.organs[1].oval;
    canvas.oval({kidney.centre, kidney.a * 0.55, kidney.b * 0.3, kidney.turn}, grey(112),
                drawing.percent(2));
    addCloud(drawing, 10, 10);
    const double strength = drawing.eased(12, 26);
    addCloud(drawing, 1.4, strength);
    addCloud(drawing, 0.8, strength * 0.7);
    drawFan(drawing, view);
    return body;
}

Body drawBody(Drawing& drawing, Scene scene)
{
    const View view(drawing);
    switch (scene) {
    case Scene::Ct:
        return drawCt(drawing, view);
    case Scene::Mr:
        return drawMr(drawing, view);
    case Scene::XRay:
        return drawXRay(drawing, view);
    default:
        return drawUltrasound(drawing, view);
    }
}

/// A random point at which an oval lies wholly in one organ, or in none and clear of all.
struct Found {
    Oval oval;
    int organ = -1;
};
std::optional<Found> find(Drawing& drawing, const Body& body, int organ, const Oval& shape,
                          const SpotField& field, int half)
{
    Random& random = drawing.random;
    const Oval& region = organ < 0 ? body.outline : body.organs[std::size_t(organ)].oval;
    const Point extent = reach(region);
    const double margin = drawing.percent(1.2);
    for (int attempt = 0; attempt < 30; ++attempt) {
        Oval spot = shape;
        spot.centre = {region.centre.x + random.real(-extent.x, extent.x),
                       region.centre.y + random.real(-extent.y, extent.y)};
        const double x = spot.centre.x / drawing.canvas.width();
        if ((half < 0 && x > 0.45) || (half > 0 && x < 0.55) || !field.isFree(spot)) {
            continue;
        }
        bool good = insideOf(spot, region, margin) && insideOf(spot, body.outline, 0);
        for (std::size_t i = 0; good && i < body.organs.size(); ++i) {
            good = int(i) == organ || outsideOf(spot, body.organs[i].oval, margin);
        }
        for (const Oval& reserved : body.reserved) {
            good = good && outsideOf(spot, reserved, margin);
        }
        if (good) {
            return Found{spot, organ};
        }
    }
    return std::nullopt;
}

struct Spot {
    Oval oval;
    Thing thing = Thing::BrightSpot;
    std::string organ;
    double ink = 0;
};

/// As many spots as asked for, smaller ones where there is no room.
void addSpots(Drawing& drawing, const Body& body, Thing thing, int count, std::vector<Spot>& spots,
              SpotField& field)
{
    Random& random = drawing.random;
    const SpotSizes sizes = spotSizes(drawing.options);
    const int half = random.chance(35) ? (random.chance(50) ? -1 : 1) : 0;
    for (int i = 0; i < count; ++i) {
        double size = random.real(sizes.least, sizes.most);
        // where there is more than one, the first is the largest more often than by chance
        size = i == 0 && count > 1 && random.chance(60) ? sizes.most * random.real(0.9, 1.1) : size;
        const double stretch = random.real(0.82, 1.0), turn = random.real(0, 0.5);
        std::optional<Found> found;
        for (int attempt = 0; !found && attempt < 14; ++attempt) {
            const double radius = drawing.percent(std::max(size, sizes.least)) / 2;
            const int choices = int(body.organs.size()) + (body.gaps ? 1 : 0);
            found = find(drawing, body, random.below(choices) - (body.gaps ? 1 : 0),
                         {{}, radius, radius * stretch, turn}, field, attempt < 8 ? half : 0);
            size *= 0.88;
        }
        if (!found) {
            continue;
        }
        field.take(found->oval);
        const double ink = thing == Thing::BrightSpot ? random.real(drawing.eased(240, 222), 252)
                                                      : random.real(4, drawing.eased(8, 16));
        spots.push_back({found->oval, thing,
                         found->organ < 0 ? std::string("none of the organs")
                                          : body.organs[std::size_t(found->organ)].name,
                         ink});
    }
}

}  // namespace

void drawPhantom(Drawing& drawing, Scene scene)
{
    Random& random = drawing.random;
    const Body body = drawBody(drawing, scene);
    const int most = spotSizes(drawing.options).mostOnes;
    std::vector<Spot> spots;
    SpotField field(drawing.percent(drawing.eased(3, 1.8)));
    const int bright = random.below(most + 1), dark = random.below(most + 1);
    addSpots(drawing, body, Thing::BrightSpot, bright, spots, field);
    addSpots(drawing, body, Thing::DarkSpot, dark, spots, field);
    for (const Spot& spot : spots) {
        if (drawing.add({spot.thing, drawing.extentOf(spot.oval), -1})) {
            drawing.canvas.oval(spot.oval, grey(spot.ink), 1.3);
        }
    }
    const struct {
        Thing thing;
        Noun noun;
    } both[] = {{Thing::BrightSpot, {"bright spot", "bright spots"}},
                {Thing::DarkSpot, {"dark spot", "dark spots"}}};
    for (const auto& [thing, noun] : both) {
        askAboutThings(drawing, noun, drawing.all(thing), 0, most);
        const std::string the = "the largest " + noun.one;
        const std::vector<Object> things = drawing.all(thing);  // in the order of their spots
        const std::string list = listed(noun.many, things);
        std::vector<std::string> organs;
        for (const Spot& spot : spots) {
            if (spot.thing == thing) {
                organs.push_back(spot.organ);
            }
        }
        if (things.empty()) {
            drawing.askAbsent("inside", "inside", {{"the", the}}, list,
                              "There is no " + noun.one + ".");
        } else if (const Object* largest = clearlyLargest(things)) {
            drawing.ask("inside", "inside", {{"the", the}},
                        list + " largest " + placeOf(largest->extent) + ".",
                        organs[std::size_t(largest - things.data())]);
        } else {
            drawing.skip("inside");
        }
    }
    const std::size_t brightCount = drawing.all(Thing::BrightSpot).size();
    const std::size_t darkCount = drawing.all(Thing::DarkSpot).size();
    drawing.ask("more", "more", {},
                listed("bright spots", drawing.all(Thing::BrightSpot)) + " count " +
                    std::to_string(brightCount) + ". " +
                    listed("dark spots", drawing.all(Thing::DarkSpot)) + " count " +
                    std::to_string(darkCount) + ".",
                brightCount > darkCount       ? "bright"
                    : brightCount < darkCount ? "dark"
                                              : "equal");
}

}  // namespace inference::mini
