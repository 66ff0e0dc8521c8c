#pragma once

#include "inference/mini/scene.h"

#include <string>
#include <vector>

namespace inference::mini {

/// Colours as papers use them, in the order of colourNames.
Ink chartInk(int colour);
/// `count` different indices of colourNames.
std::vector<int> differentColours(Random& random, int count);
inline std::string colourName(int colour)
{
    return std::string(colourNames[std::size_t(colour)]);
}

/// A rectangle in pixels.
struct Area {
    double left = 0, top = 0, right = 0, bottom = 0;

    double width() const { return right - left; }
    double height() const { return bottom - top; }
};

/// What a chart is drawn with. In a panel it has no title, label or legend, and is not asked about.
struct ChartStyle {
    bool panel = false;
    bool axes = true;     // with a label below x
    bool numbers = true;  // 0, 50, 100 beside y
};

/// Draws title, label, axes and legend with an entry for each colour, as far as there are any, and
/// asks about them. Returns what is left for the data.
Area drawFrame(Drawing& drawing, const Area& area, const ChartStyle& style,
               const std::vector<int>& colours);

double textHeight(const Drawing& drawing);

// Each fills the area.
void drawBars(Drawing& drawing, const Area& area, bool panel);
void drawLines(Drawing& drawing, const Area& area, bool panel);
void drawScatter(Drawing& drawing, const Area& area, bool panel);
void drawPie(Drawing& drawing, const Area& area, bool panel);
void drawChartIn(Drawing& drawing, Scene scene, const Area& area, bool panel);

/// A colour to ask about: one of those drawn, or, a quarter of the time, another one.
struct AskedColour {
    int colour = 0;
    int index = -1;  // in `colours`; -1: absent
};
AskedColour askedColour(Random& random, const std::vector<int>& colours);

}  // namespace inference::mini
