#pragma once

#include "ui/model/document.h"

#include <QColor>
#include <QLineF>
#include <QList>
#include <QPainter>
#include <QRectF>
#include <QString>

#include <optional>

/// What is drawn over a picture. Nothing here fills: the pixels pointed at stay visible. Lines are
/// 1.5 px with a dark edge of 1 px, so that they are seen on white and on black.
namespace ui {

/// An outline on the picture that an answer named, in coordinates of frame.pixels.
struct OverlayBox {
    QString label;
    QRectF rect;
    int colour = 0;  // index into Theme::findings, taken round
    int number = 0;  // shown as ① …; 0: its place in the list, from 1
};

/// A distance taken with the measure tool, in coordinates of frame.pixels.
struct Measurement {
    int index = 0;  // of the frame it was taken on
    QLineF line;
};

/// ① … ⑳, then (21).
QString circledNumber(int number);

/// "42.3 mm" where the spacing is known, else "120 px".
QString distanceText(const QLineF& line, const std::optional<PixelSpacing>& spacing);

/// The longest of 1, 2, 5 × 10ⁿ mm that fits in `pixels` screen pixels.
struct ScaleBar {
    double millimetres = 0;
    double pixels = 0;  // screen pixels it is long
};
std::optional<ScaleBar> scaleBar(double millimetresPerPixel, double pixels);

void drawOutline(QPainter& painter, const QPolygonF& polygon, const QColor& colour,
                 bool dashed = false);
void drawLine(QPainter& painter, const QLineF& line, const QColor& colour);
/// With a small bar across each end.
void drawMeasure(QPainter& painter, const QLineF& line, const QColor& colour);
/// Thick corners on an outline, for what can be taken hold of.
void drawHandles(QPainter& painter, const QRectF& rect, const QColor& colour);
/// Light text with a dark edge; `alignment` places it about `at`.
void drawLabel(QPainter& painter, const QPointF& at, Qt::Alignment alignment, const QString& text,
               const QColor& colour);
/// Where a box's label goes: outside the box, inside the view.
QRectF boxLabelRect(const QRectF& box, const QSizeF& label, const QRectF& view);

/// Handles of a region: bits 1 left, 2 right, 4 top, 8 bottom; 0 none. `rect` in widget pixels.
int regionHandleAt(const QRectF& rect, const QPointF& position);

}  // namespace ui
