#include "ui/view/image_view.h"

#include "ui/view/theme.h"

#include <QLocale>
#include <QPaintEvent>

#include <algorithm>
#include <cmath>

/// How the picture and what lies over it are drawn.
namespace ui {

namespace {

constexpr double kHardPixels = 3;      // screen pixels a picture pixel from where pixels stay hard
constexpr int kMargin = 12;            // corner text to the edge
constexpr double kOutside = 1.75;      // so that an outline lies around the pixels, not on them
const QColor kText(0xe6, 0xe8, 0xea);  // the viewport is black in every theme
const QColor kGrid(0x5a, 0xa9, 0xe6);

QString number(double value)
{
    // 4 digits are what a window or a spacing is known to
    QLocale locale;
    locale.setNumberOptions(QLocale::OmitGroupSeparator);
    return locale.toString(value, 'g', std::abs(value) >= 1000 ? 6 : 4);
}

/// One pixel of an RGB888 or RGB32 picture for each of the result: coarse, and as quick for 100 MP
/// as for one. QPainter would copy such a picture first.
QImage sampled(const QImage& image, const QSize& size)
{
    QImage out(size.expandedTo({1, 1}), QImage::Format_RGB32);
    const bool packed = image.format() == QImage::Format_RGB888;
    for (int y = 0; y < out.height(); ++y) {
        const uchar* from = image.constScanLine(int(qint64(y) * image.height() / out.height()));
        auto* to = reinterpret_cast<QRgb*>(out.scanLine(y));
        for (int x = 0; x < out.width(); ++x) {
            const qsizetype column = qint64(x) * image.width() / out.width();
            const uchar* rgb = from + 3 * column;
            to[x] =
                packed ? qRgb(rgb[0], rgb[1], rgb[2]) : reinterpret_cast<const QRgb*>(from)[column];
        }
    }
    return out;
}

}  // namespace

QStringList ImageView::cornerText(Qt::Corner corner) const
{
    QStringList lines;
    if (!hasPicture()) {
        return lines;
    }
    switch (corner) {
    case Qt::TopLeftCorner:
        return m_frame.corner;
    case Qt::TopRightCorner:
        lines << m_title << m_frame.label;
        break;
    case Qt::BottomLeftCorner: {
        if (m_cursor) {
            const QPointF at = toPixels(*m_cursor);
            const QPoint pixel(int(std::floor(at.x())), int(std::floor(at.y())));
            if (m_frame.pixels.rect().contains(pixel)) {
                const QColor value = m_frame.pixels.pixelColor(pixel);
                const bool grey = value.red() == value.green() && value.green() == value.blue();
                lines << tr("x %1  y %2  %3")
                             .arg(pixel.x())
                             .arg(pixel.y())
                             .arg(grey ? tr("grey %1").arg(value.red())
                                       : QStringLiteral("RGB %1 %2 %3")
                                             .arg(value.red())
                                             .arg(value.green())
                                             .arg(value.blue()));
            }
        }
        if (m_shownWindow) {
            lines << (QStringLiteral("C %1  W %2 ")
                          .arg(number(m_shownWindow->center), number(m_shownWindow->width)) +
                      m_frame.unit)
                         .trimmed();
        }
        if (m_shownInverted) {
            lines << tr("inverted");
        }
        lines << tr("zoom %1 %").arg(QLocale().toString(std::round(zoom() * 100), 'f', 0));
        break;
    }
    case Qt::BottomRightCorner:
        if (m_frame.spacing) {
            const PixelSpacing& spacing = *m_frame.spacing;
            const QString size = qFuzzyCompare(spacing.x, spacing.y)
                ? number(spacing.x)
                : QStringLiteral("%1 × %2").arg(number(spacing.x), number(spacing.y));
            lines << tr("%1 mm a pixel").arg(size) << spacing.source;
        }
        break;
    }
    lines.removeAll(QString());
    return lines;
}

QString ImageView::edgeLetters(Qt::Edge edge) const
{
    if (!m_frame.edges) {
        return {};
    }
    const QPointF towards = edge == Qt::LeftEdge ? QPointF(-1, 0)
        : edge == Qt::RightEdge                  ? QPointF(1, 0)
        : edge == Qt::TopEdge                    ? QPointF(0, -1)
                                                 : QPointF(0, 1);
    // The same direction in pixels: what is shown may be turned or mirrored by quarters.
    const QTransform& map = m_frame.toShown;
    const QTransform back = QTransform(map.m11(), map.m12(), map.m21(), map.m22(), 0, 0).inverted();
    const QPointF pixels = back.map(towards);
    if (std::abs(pixels.x()) > std::abs(pixels.y())) {
        return pixels.x() > 0 ? m_frame.edges->right : m_frame.edges->left;
    }
    return pixels.y() > 0 ? m_frame.edges->bottom : m_frame.edges->top;
}

void ImageView::paintPicture()
{
    const double ratio = devicePixelRatioF();
    const QSize device = (QSizeF(size()) * ratio).toSize();
    if (m_cache.size() != device) {
        m_cache = QPixmap(device);
    }
    m_cache.setDevicePixelRatio(ratio);
    m_cache.fill(currentTheme().viewport);
    m_cacheValid = true;
    if (!hasPicture()) {
        return;
    }
    const PictureLevels::Level level = m_levels.levelFor(zoom());
    const QSizeF whole = m_view.picture();
    const QTransform toView = QTransform::fromScale(whole.width() / level.image.width(),
                                                    whole.height() / level.image.height()) *
        m_view.toView();
    // Only what is seen, with a margin for the smoothing; the crop shares the level's bytes.
    const QRect crop =
        toView.inverted().mapRect(QRectF(rect())).toAlignedRect().adjusted(-2, -2, 2, 2) &
        level.image.rect();
    if (crop.isEmpty()) {
        return;
    }
    const QImage& image = level.image;
    QImage part(image.constBits() + crop.y() * image.bytesPerLine() + crop.x() * image.depth() / 8,
                crop.width(), crop.height(), image.bytesPerLine(), image.format());
    const QRectF place = toView.mapRect(QRectF(crop));
    if (level.coarse) {
        part = sampled(part, (place.size() * ratio).toSize());
    } else if (part.format() != QImage::Format_RGB32) {
        part = part.convertToFormat(QImage::Format_RGB32);
    }
    QPainter painter(&m_cache);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, !level.coarse && zoom() < kHardPixels);
    painter.drawImage(place, part);
}

void ImageView::paintEvent(QPaintEvent*)
{
    const QSize device = (QSizeF(size()) * devicePixelRatioF()).toSize();
    if (!m_cacheValid || m_cache.size() != device) {
        paintPicture();
    }
    QPainter painter(this);
    painter.drawPixmap(0, 0, m_cache);
    if (hasPicture()) {
        paintOverlays(painter);
        if (m_cornerVisible) {
            paintCorners(painter);
        }
    }
    if (hasFocus()) {
        painter.setPen(QPen(currentTheme().accent, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(rect().adjusted(0, 0, -1, -1));
    }
}

void ImageView::paintOverlays(QPainter& painter)
{
    const QTransform toWidget = pixelsToWidget();
    const auto around = [&](const QRectF& pixels) {
        return toWidget.mapRect(pixels).adjusted(-kOutside, -kOutside, kOutside, kOutside);
    };
    QFont font = this->font();
    font.setPointSizeF(font.pointSizeF() * 0.85);
    painter.setFont(font);
    const QFontMetricsF metrics(font, this);

    const QList<QRectF> tiles = m_gridVisible || m_litTile >= 0 ? tileRects() : QList<QRectF>();
    if (m_gridVisible && !tiles.isEmpty()) {
        const QRectF given = tiles.first() | tiles.last();
        for (const QRectF& tile : tiles) {  // the lines between them
            if (tile.left() > given.left()) {
                drawLine(painter, toWidget.map(QLineF(tile.topLeft(), tile.bottomLeft())), kGrid);
            }
            if (tile.top() > given.top()) {
                drawLine(painter, toWidget.map(QLineF(tile.topLeft(), tile.topRight())), kGrid);
            }
        }
        if (m_region.isNull()) {
            drawOutline(painter, around(given), kGrid);
        }
    }
    for (int i = 0; i < m_boxes.size(); ++i) {
        const OverlayBox& box = m_boxes[i];
        const bool flashes = i == m_flashedBox && m_flashes % 2 == 0;
        const QColor colour = flashes ? QColor(Qt::white) : findingColor(box.colour);
        const QRectF outline = around(box.rect);
        drawOutline(painter, outline, colour);
        if (i == m_hoveredBox || i == m_flashedBox) {
            drawHandles(painter, outline, colour);
        }
        const QString text =
            (circledNumber(box.number > 0 ? box.number : i + 1) + u' ' + box.label).trimmed();
        const QSizeF size(metrics.horizontalAdvance(text), metrics.height());
        const QRectF place = boxLabelRect(outline, size, QRectF(rect()).adjusted(4, 4, -4, -4));
        if (QRectF(rect()).intersects(outline)) {
            drawLabel(painter, place.topLeft(), Qt::AlignLeft | Qt::AlignTop, text, colour);
        }
    }
    if (!m_region.isNull()) {
        const QRectF outline = around(m_region);
        const QColor colour = currentTheme().accent;
        drawOutline(painter, outline, colour);
        drawHandles(painter, outline, colour);
        if (m_drag.kind == Drag::DrawRegion || m_drag.kind == Drag::ResizeRegion) {
            const QString text =
                QStringLiteral("%1 × %2").arg(m_region.width()).arg(m_region.height());
            drawLabel(painter, outline.bottomRight() + QPointF(0, 4), Qt::AlignRight | Qt::AlignTop,
                      text, kText);
        }
    }
    if (m_litTile >= 0 && m_litTile < tiles.size()) {
        drawOutline(painter, around(tiles[m_litTile]), Qt::white);
    }
    const QColor measured = findingColor(0);
    for (const Measurement& one : m_measurements) {
        if (one.index != m_index) {
            continue;
        }
        const QLineF line = toWidget.map(one.line);
        drawMeasure(painter, line, measured);
        const bool rightwards = line.dx() >= 0;
        drawLabel(painter, line.p2() + QPointF(rightwards ? 8 : -8, 0),
                  (rightwards ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter,
                  distanceText(one.line, m_frame.spacing), measured);
    }
}

/// At the middle of each edge of the view, larger than the corner text: a side is read first.
void ImageView::paintEdges(QPainter& painter)
{
    if (!m_frame.edges) {
        return;
    }
    painter.save();
    QFont large = font();
    large.setPointSizeF(large.pointSizeF() * 1.15);
    large.setBold(true);
    painter.setFont(large);
    const QPointF middle = QRectF(rect()).center();
    drawLabel(painter, {double(kMargin), middle.y()}, Qt::AlignLeft | Qt::AlignVCenter,
              edgeLetters(Qt::LeftEdge), kText);
    drawLabel(painter, {double(width() - kMargin), middle.y()}, Qt::AlignRight | Qt::AlignVCenter,
              edgeLetters(Qt::RightEdge), kText);
    drawLabel(painter, {middle.x(), double(kMargin)}, Qt::AlignHCenter | Qt::AlignTop,
              edgeLetters(Qt::TopEdge), kText);
    drawLabel(painter, {middle.x(), double(height() - kMargin)}, Qt::AlignHCenter | Qt::AlignBottom,
              edgeLetters(Qt::BottomEdge), kText);
    painter.restore();
}

void ImageView::paintCorners(QPainter& painter)
{
    const QFontMetricsF metrics(painter.font(), this);
    const double room = width() / 3.0 - kMargin;  // the middle is the picture's
    const auto draw = [&](Qt::Corner corner, double bottomRoom) {
        const QStringList lines = cornerText(corner);
        const bool top = corner == Qt::TopLeftCorner || corner == Qt::TopRightCorner;
        const bool left = corner == Qt::TopLeftCorner || corner == Qt::BottomLeftCorner;
        double y =
            top ? kMargin : height() - kMargin - bottomRoom - metrics.height() * lines.size();
        for (const QString& line : lines) {
            drawLabel(painter, {left ? double(kMargin) : double(width() - kMargin), y},
                      (left ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignTop,
                      metrics.elidedText(line, Qt::ElideRight, room), kText);
            y += metrics.height();
        }
    };
    draw(Qt::TopLeftCorner, 0);
    draw(Qt::TopRightCorner, 0);
    draw(Qt::BottomLeftCorner, 0);
    paintEdges(painter);
    const double spacing = m_frame.spacing ? m_frame.spacing->x : 0;
    const bool turned = qFuzzyIsNull(m_frame.toShown.m11()) && !qFuzzyIsNull(m_frame.toShown.m12());
    const double across = turned && m_frame.spacing ? m_frame.spacing->y : spacing;
    const auto bar = scaleBar(across / m_view.scale(), std::min(160.0, width() / 4.0));
    draw(Qt::BottomRightCorner, bar ? metrics.height() + 12 : 0);
    if (bar) {
        const double y = height() - kMargin - 4, right = width() - kMargin - 1;
        const QString text = bar->millimetres >= 10 ? tr("%1 cm").arg(number(bar->millimetres / 10))
                                                    : tr("%1 mm").arg(number(bar->millimetres));
        drawMeasure(painter, QLineF(right - bar->pixels, y, right, y), kText);
        drawLabel(painter, {right, y - 7}, Qt::AlignRight | Qt::AlignBottom, text, kText);
    }
}

}  // namespace ui
