#include "ui/view/image_overlay.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QLocale>
#include <QPainterPath>
#include <QPixmapCache>

#include <algorithm>
#include <array>
#include <cmath>

namespace ui {

namespace {

constexpr double kLine = 1.5;  // ui.md: 1.5 px with a dark edge of 1 px
constexpr double kEdge = 1;
constexpr double kHandle = 10;  // length of a corner handle's arms
constexpr double kReach = 7;    // how far from an edge the mouse still takes hold of it
const QColor kDark(0, 0, 0, 200);
constexpr double kTextMargin = 3;  // room for the edge of text
const QColor kTextEdge(0, 0, 0, 235);

void strokeTwice(QPainter& painter, const QPainterPath& path, const QColor& colour, double width,
                 Qt::PenStyle style)
{
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(kDark, width + 2 * kEdge, Qt::SolidLine, Qt::FlatCap, Qt::MiterJoin));
    painter.drawPath(path);
    QPen pen(colour, width, style, Qt::FlatCap, Qt::MiterJoin);
    if (style == Qt::DashLine) {
        pen.setDashPattern({4, 3});
    }
    painter.setPen(pen);
    painter.drawPath(path);
    painter.restore();
}

/// Text with its edge, kept, since stroking the edge takes a millisecond.
QPixmap edgedText(const QString& text, const QFont& font, const QColor& colour, double ratio)
{
    const QString key = QStringLiteral("kvl-text/%1/%2/%3/%4")
                            .arg(font.key(), colour.name(QColor::HexArgb))
                            .arg(ratio)
                            .arg(text);
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap)) {
        return pixmap;
    }
    const QFontMetricsF metrics(font);
    const QSizeF size(metrics.horizontalAdvance(text) + 2 * kTextMargin,
                      metrics.height() + 2 * kTextMargin);
    pixmap = QPixmap((size * ratio).toSize().expandedTo({1, 1}));
    pixmap.setDevicePixelRatio(ratio);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    const QPointF base(kTextMargin, kTextMargin + std::round(metrics.ascent()));
    QPainterPath edge;
    edge.addText(base, font, text);
    painter.strokePath(edge, QPen(kTextEdge, 3.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.setFont(font);
    painter.setPen(colour);
    painter.drawText(base, text);
    painter.end();
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

}  // namespace

QString circledNumber(int number)
{
    if (number >= 1 && number <= 20) {
        return QChar(0x2460 + number - 1);
    }
    return QStringLiteral("(%1)").arg(number);
}

QString distanceText(const QLineF& line, const std::optional<PixelSpacing>& spacing)
{
    const QLocale locale;
    if (!spacing) {
        return QCoreApplication::translate("ui::ImageView", "%1 px")
            .arg(locale.toString(line.length(), 'f', 0));
    }
    const double mm = std::hypot(line.dx() * spacing->x, line.dy() * spacing->y);
    return QCoreApplication::translate("ui::ImageView", "%1 mm")
        .arg(locale.toString(mm, 'f', mm < 1 ? 2 : 1));
}

std::optional<ScaleBar> scaleBar(double millimetresPerPixel, double pixels)
{
    if (!(millimetresPerPixel > 0) || !(pixels > 0)) {
        return std::nullopt;
    }
    const double most = millimetresPerPixel * pixels;
    const double power = std::pow(10, std::floor(std::log10(most)));
    double length = power;
    for (const double step : std::array{2.0, 5.0}) {
        if (step * power <= most * (1 + 1e-9)) {
            length = step * power;
        }
    }
    return ScaleBar{length, length / millimetresPerPixel};
}

void drawOutline(QPainter& painter, const QPolygonF& polygon, const QColor& colour, bool dashed)
{
    QPainterPath path;
    path.addPolygon(polygon);
    path.closeSubpath();
    strokeTwice(painter, path, colour, kLine, dashed ? Qt::DashLine : Qt::SolidLine);
}

void drawLine(QPainter& painter, const QLineF& line, const QColor& colour)
{
    QPainterPath path(line.p1());
    path.lineTo(line.p2());
    strokeTwice(painter, path, colour, kLine, Qt::SolidLine);
}

void drawMeasure(QPainter& painter, const QLineF& line, const QColor& colour)
{
    QPainterPath path(line.p1());
    path.lineTo(line.p2());
    if (line.length() > 0) {
        const QLineF normal = line.normalVector().unitVector();
        const QPointF arm = QPointF(normal.dx(), normal.dy()) * 5;
        for (const QPointF& end : {line.p1(), line.p2()}) {
            path.moveTo(end - arm);
            path.lineTo(end + arm);
        }
    }
    strokeTwice(painter, path, colour, kLine, Qt::SolidLine);
}

void drawHandles(QPainter& painter, const QRectF& around, const QColor& colour)
{
    const double out = kLine / 2;  // twice as thick as the outline, outwards only
    const QRectF rect = around.adjusted(-out, -out, out, out);
    const double x = std::min(kHandle, rect.width() / 3), y = std::min(kHandle, rect.height() / 3);
    QPainterPath path;
    const auto corner = [&](const QPointF& at, double dx, double dy) {
        path.moveTo(at + QPointF(dx, 0));
        path.lineTo(at);
        path.lineTo(at + QPointF(0, dy));
    };
    corner(rect.topLeft(), x, y);
    corner(rect.topRight(), -x, y);
    corner(rect.bottomLeft(), x, -y);
    corner(rect.bottomRight(), -x, -y);
    strokeTwice(painter, path, colour, 2 * kLine, Qt::SolidLine);
}

void drawLabel(QPainter& painter, const QPointF& at, Qt::Alignment alignment, const QString& text,
               const QColor& colour)
{
    const QFontMetricsF metrics(painter.font(), painter.device());
    const QSizeF size(metrics.horizontalAdvance(text), metrics.height());
    QPointF corner = at;
    if (alignment & Qt::AlignRight) {
        corner.rx() -= size.width();
    } else if (alignment & Qt::AlignHCenter) {
        corner.rx() -= size.width() / 2;
    }
    if (alignment & Qt::AlignBottom) {
        corner.ry() -= size.height();
    } else if (alignment & Qt::AlignVCenter) {
        corner.ry() -= size.height() / 2;
    }
    // whole pixels keep the text sharp
    painter.drawPixmap(
        QPointF(std::round(corner.x()) - kTextMargin, std::round(corner.y()) - kTextMargin),
        edgedText(text, painter.font(), colour, painter.device()->devicePixelRatioF()));
}

QRectF boxLabelRect(const QRectF& box, const QSizeF& label, const QRectF& view)
{
    constexpr double gap = 3;
    // above, below, right, left; inside only where the box fills the view
    const std::array<QPointF, 4> places{
        QPointF(box.left(), box.top() - gap - label.height()),
        QPointF(box.left(), box.bottom() + gap),
        QPointF(box.right() + gap, box.top()),
        QPointF(box.left() - gap - label.width(), box.top()),
    };
    for (std::size_t i = 0; i < places.size(); ++i) {
        QRectF rect(places[i], label);
        if (i < 2) {  // may slide along the box's edge
            rect.moveLeft(std::clamp(rect.left(), view.left(),
                                     std::max(view.left(), view.right() - rect.width())));
        } else {
            rect.moveTop(std::clamp(rect.top(), view.top(),
                                    std::max(view.top(), view.bottom() - rect.height())));
        }
        if (view.contains(rect) && !rect.intersects(box)) {
            return rect;
        }
    }
    const QRectF seen = box.intersected(view);
    return QRectF(seen.topLeft() + QPointF(gap, gap), label);
}

int regionHandleAt(const QRectF& rect, const QPointF& position)
{
    if (rect.isNull() || !rect.adjusted(-kReach, -kReach, kReach, kReach).contains(position)) {
        return 0;
    }
    int handle = 0;
    const auto nearer = [](double a, double b) { return std::abs(a) <= std::abs(b); };
    const double left = position.x() - rect.left(), right = position.x() - rect.right();
    const double top = position.y() - rect.top(), bottom = position.y() - rect.bottom();
    if (std::min(std::abs(left), std::abs(right)) <= kReach) {
        handle |= nearer(left, right) ? 1 : 2;
    }
    if (std::min(std::abs(top), std::abs(bottom)) <= kReach) {
        handle |= nearer(top, bottom) ? 4 : 8;
    }
    return handle;
}

}  // namespace ui
