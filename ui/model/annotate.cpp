#include "ui/model/annotate.h"

#include <QFont>
#include <QPainter>

#include <algorithm>
#include <array>
#include <cmath>

namespace ui {
namespace {

constexpr double lineWidth = 1.5, edgeWidth = 1, diskDiameter = 19;  // 1/96 inch
const QColor darkEdge(0, 0, 0, 190);
const QColor regionColor(0xff, 0xff, 0xff);

QRectF scaled(const QRectF& rect, double scale)
{
    return {rect.x() * scale, rect.y() * scale, rect.width() * scale, rect.height() * scale};
}

/// A line around the rectangle, none of it inside.
void drawOutline(QPainter& painter, const QRectF& inside, const QColor& color, Qt::PenStyle style,
                 double ratio)
{
    const double reach = (lineWidth / 2 + edgeWidth) * ratio;
    const QRectF rect = inside.adjusted(-reach, -reach, reach, reach);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(darkEdge, (lineWidth + 2 * edgeWidth) * ratio, Qt::SolidLine, Qt::SquareCap,
                        Qt::MiterJoin));
    painter.drawRect(rect);
    painter.setPen(QPen(color, lineWidth * ratio, style, Qt::FlatCap, Qt::MiterJoin));
    painter.drawRect(rect);
}

/// Where the disk of `box` goes: outside it at a corner or a side; the first place that is on the
/// canvas and clear of all boxes and of the disks before, else the one that covers least.
QRectF placeDisk(const QRectF& box, const QList<QRectF>& boxes, const QList<QRectF>& disks,
                 const QRectF& canvas, double ratio)
{
    const double d = diskDiameter * ratio, gap = 2 * (lineWidth + edgeWidth) * ratio;
    const double above = box.top() - gap - d, below = box.bottom() + gap;
    const double before = box.left() - gap - d, after = box.right() + gap;
    const std::array<QPointF, 12> corners{{
        {box.left(), above},
        {box.right() - d, above},
        {box.left(), below},
        {box.right() - d, below},
        {before, box.top()},
        {after, box.top()},
        {before, box.bottom() - d},
        {after, box.bottom() - d},
        {before, above},
        {after, above},
        {before, below},
        {after, below},
    }};
    const auto area = [](const QRectF& rect) { return rect.width() * rect.height(); };
    QRectF best;
    double least = INFINITY;
    for (const QPointF& corner : corners) {
        QRectF disk(corner, QSizeF(d, d));
        disk.moveLeft(
            std::clamp(disk.left(), canvas.left(), std::max(canvas.left(), canvas.right() - d)));
        disk.moveTop(
            std::clamp(disk.top(), canvas.top(), std::max(canvas.top(), canvas.bottom() - d)));
        double covered = 0;
        for (const QRectF& other : boxes) {
            covered += area(disk.intersected(other));
        }
        for (const QRectF& other : disks) {
            covered += 4 * area(disk.intersected(other));  // a hidden number is worse
        }
        if (covered < least) {
            least = covered;
            best = disk;
        }
    }
    return best;
}

void drawDisk(QPainter& painter, const QRectF& disk, const QColor& color, int number, double ratio)
{
    painter.setPen(QPen(QColor(0, 0, 0), edgeWidth * ratio));
    painter.setBrush(color);
    const double half = edgeWidth * ratio / 2;
    painter.drawEllipse(disk.adjusted(half, half, -half, -half));
    QFont font(QStringList{QStringLiteral("DejaVu Sans"), QStringLiteral("Noto Sans")});
    font.setBold(true);
    font.setPixelSize(std::max(1, int(std::lround(disk.height() * (number < 10 ? 0.68 : 0.52)))));
    painter.setFont(font);
    painter.setPen(Qt::black);
    painter.drawText(disk, Qt::AlignCenter, QString::number(number));
}

}  // namespace

QColor annotationColor(int index)
{
    // "finding" of the dark theme: read on black and on white with a dark edge
    static const std::array<QRgb, 5> colors{0xffffb454, 0xff7fd962, 0xffd2a6ff, 0xfff07178,
                                            0xff39bae6};
    return QColor::fromRgb(colors[std::size_t(std::max(0, index)) % colors.size()]);
}

QString annotationMark(int index)
{
    return index < 20 ? QString(QChar(0x2460 + index)) : QStringLiteral("(%1)").arg(index + 1);
}

QImage drawAnnotations(const QImage& picture, const QList<AnswerBox>& boxes, int attachment,
                       const QRect& region, double scale, double pixelRatio)
{
    const QSize size(std::max(1, int(std::lround(picture.width() * scale))),
                     std::max(1, int(std::lround(picture.height() * scale))));
    // Hard pixels where they are large enough to be seen as such, as in the viewer.
    const auto mode = scale > 3 ? Qt::FastTransformation : Qt::SmoothTransformation;
    QImage result =
        (size == picture.size() ? picture : picture.scaled(size, Qt::IgnoreAspectRatio, mode))
            .convertToFormat(QImage::Format_RGB888);
    QList<int> drawn;
    QList<QRectF> places, disks;
    for (int i = 0; i < boxes.size(); ++i) {
        if (boxes[i].attachment == attachment) {
            drawn << i;
            places << scaled(boxes[i].rect, scale);
        }
    }
    if (drawn.isEmpty() && region.isNull()) {
        return result;
    }
    QPainter painter(&result);
    painter.setRenderHint(QPainter::Antialiasing);
    if (!region.isNull()) {
        drawOutline(painter, scaled(region, scale), regionColor, Qt::DashLine, pixelRatio);
    }
    for (int i = 0; i < drawn.size(); ++i) {
        drawOutline(painter, places[i], annotationColor(drawn[i]), Qt::SolidLine, pixelRatio);
    }
    for (int i = 0; i < drawn.size(); ++i) {
        disks << placeDisk(places[i], places, disks, result.rect(), pixelRatio);
        drawDisk(painter, disks.last(), annotationColor(drawn[i]), drawn[i] + 1, pixelRatio);
    }
    return result;
}

}  // namespace ui
