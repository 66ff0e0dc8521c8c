#include "ui/view/image_view.h"

#include "ui/view/theme.h"

#include <QApplication>
#include <QGestureEvent>
#include <QLocale>
#include <QMouseEvent>
#include <QNativeGestureEvent>
#include <QPaintEvent>
#include <QStyle>

#include <algorithm>
#include <cmath>

namespace ui {

namespace {

constexpr double kClick = 4;       // px the mouse may move within a click
constexpr double kHardPixels = 3;  // screen pixels a picture pixel from where pixels stay hard
constexpr int kMargin = 12;        // corner text to the edge
constexpr double kOutside = 1.75;  // so that an outline lies around the pixels, not on them
constexpr int kFlashMilliseconds = 130;
const QColor kText(0xe6, 0xe8, 0xea);  // the viewport is black in every theme
const QColor kGrid(0x5a, 0xa9, 0xe6);

QString number(double value)
{
    // 4 digits are what a window or a spacing is known to
    return QLocale().toString(value, 'g', std::abs(value) >= 1000 ? 6 : 4);
}

/// Integers where the window was in integers' range, else four digits of its width.
double rounded(double value, double width)
{
    if (width >= 16) {
        return std::round(value);
    }
    const double step = std::pow(10, std::floor(std::log10(std::max(width, 1e-12))) - 3);
    return std::round(value / step) * step;
}

double pixelAspect(const Frame& frame)
{
    if (!frame.spacing || !(frame.spacing->x > 0) || !(frame.spacing->y > 0)) {
        return 1;
    }
    const double aspect = frame.spacing->y / frame.spacing->x;
    const bool turned = qFuzzyIsNull(frame.toShown.m11()) && !qFuzzyIsNull(frame.toShown.m12());
    return turned ? 1 / aspect : aspect;
}

}  // namespace

ImageView::ImageView(QWidget* parent)
    : QWidget(parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAttribute(Qt::WA_OpaquePaintEvent);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setAccessibleName(tr("Picture"));
    grabGesture(Qt::PinchGesture);
    m_flashTimer.setInterval(kFlashMilliseconds);
    connect(&m_flashTimer, &QTimer::timeout, this, [this] {
        if (--m_flashes <= 0) {
            m_flashTimer.stop();
            m_flashedBox = -1;
        }
        update();
    });
}

ImageView::~ImageView() = default;

void ImageView::setFrame(const Frame& frame, int index)
{
    const QSize before = m_frame.pixels.size(), shownBefore = m_frame.picture().size();
    const double aspectBefore = m_view.aspect();
    const bool sameFrame = hasPicture() && frame.ref == m_frame.ref;
    m_frame = frame;
    m_index = index;
    m_shownWindow = frame.window;
    const QSize shown = frame.picture().size();
    m_view.setPicture(shown, pixelAspect(frame));
    if (m_fitted || shown != shownBefore || m_view.aspect() != aspectBefore) {
        m_view.fit();
        m_fitted = true;
    }
    m_levels.setPicture(frame.picture(), [this] {
        m_cacheValid = false;
        update();
    });
    if (!sameFrame) {
        setBoxes({});
        m_litTile = -1;
    }
    if (before != frame.pixels.size()) {
        m_drag = {};
        setRegion({});
    }
    setAccessibleDescription(frame.label);
    applyView();
}

void ImageView::clear()
{
    m_drag = {};
    m_measurements.clear();
    setFrame({});
}

void ImageView::setTool(Tool tool)
{
    cancelDrag();
    m_tool = tool;
    updateCursor(mapFromGlobal(QPointF(QCursor::pos())));
}

void ImageView::setRegion(const QRect& region)
{
    const QRect clipped = region.isNull() ? QRect() : region & m_frame.pixels.rect();
    const QRect valid = clipped.isEmpty() ? QRect() : clipped;
    if (valid != m_region) {
        m_region = valid;
        update();
        Q_EMIT regionChanged(m_region);
    }
}

void ImageView::setBoxes(const QList<OverlayBox>& boxes)
{
    m_boxes = boxes;
    m_hoveredBox = m_flashedBox = -1;
    m_flashTimer.stop();
    update();
}

void ImageView::flashBox(int index)
{
    if (index < 0 || index >= m_boxes.size() || !hasPicture()) {
        return;
    }
    const QRectF box = pixelsToWidget().mapRect(m_boxes[index].rect);
    if (!QRectF(rect()).intersects(box)) {
        m_view.setCentre(m_view.toPicture(box.center()));
        m_fitted = false;
        applyView();
    }
    m_flashedBox = index;
    // steady where the desktop asks for no motion
    const bool still = style()->styleHint(QStyle::SH_Widget_Animation_Duration, nullptr, this) == 0;
    m_flashes = still ? 2 : 6;  // white while even
    m_flashTimer.start(still ? 5 * kFlashMilliseconds : kFlashMilliseconds);
    update();
}

void ImageView::setTiling(const inference::TilingOptions& options)
{
    m_tiling = options;
    update();
}

void ImageView::setTileGridVisible(bool visible)
{
    m_gridVisible = visible;
    update();
}

void ImageView::highlightTile(int tile)
{
    if (tile != m_litTile) {
        m_litTile = tile;
        update();
    }
}

QList<QRectF> ImageView::tileRects() const
{
    QList<QRectF> rects;
    if (!hasPicture()) {
        return rects;
    }
    const QRect given = m_region.isNull() ? m_frame.pixels.rect() : m_region;
    const auto grid = inference::chooseGrid(given.width(), given.height(), m_tiling);
    for (const auto& tile : inference::tileRects(grid, given.width(), given.height())) {
        rects.append(QRectF(tile.x, tile.y, tile.width, tile.height).translated(given.topLeft()));
    }
    return rects;
}

void ImageView::setCornerTextVisible(bool visible)
{
    m_cornerVisible = visible;
    update();
}

void ImageView::setShownWindow(const std::optional<WindowLevel>& window, bool inverted)
{
    m_shownWindow = window;
    m_shownInverted = inverted;
    update();
}

void ImageView::setTitle(const QString& title)
{
    m_title = title;
    update();
}

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

void ImageView::clearMeasurements()
{
    m_measurements.clear();
    update();
}

void ImageView::setView(const ViewTransform& view)
{
    if (view.picture() == m_view.picture()) {
        m_view.setScale(view.scale());
        m_view.setCentre(view.centre());
        m_fitted = false;
        applyView();
    }
}

void ImageView::fit()
{
    m_view.fit();
    m_fitted = true;
    applyView();
}

void ImageView::setZoom(double zoom)
{
    m_view.setScale(zoom / devicePixelRatioF());
    m_fitted = false;
    applyView();
}

void ImageView::zoomBy(double factor, const QPointF& at)
{
    m_view.zoomAt(at, factor);
    m_fitted = false;
    applyView();
}

QTransform ImageView::pixelsToWidget() const
{
    return m_frame.toShown * m_view.toView();
}

QPointF ImageView::toPixels(const QPointF& widget) const
{
    return pixelsToWidget().inverted().map(widget);
}

void ImageView::applyView()
{
    m_cacheValid = false;
    update();
    Q_EMIT viewChanged();
}

void ImageView::toggleFit(const QPointF& at)
{
    if (!m_fitted) {
        m_beforeFit = m_view;
        fit();
    } else if (m_beforeFit.picture() == m_view.picture()) {
        setView(m_beforeFit);
    } else {
        zoomBy(1 / zoom(), at);
    }
}

// Mouse

ImageView::Drag ImageView::leftDragFor(const QPointF& position, Qt::KeyboardModifiers modifiers,
                                       int* handle) const
{
    const bool draws = m_tool == Tool::Region || modifiers.testFlag(Qt::ShiftModifier);
    if (draws || m_tool == Tool::Select) {
        const QRectF region =
            m_region.isNull() ? QRectF() : pixelsToWidget().mapRect(QRectF(m_region));
        *handle = regionHandleAt(region, position);
        if (*handle != 0) {
            return Drag::ResizeRegion;
        }
        if (draws) {
            return Drag::DrawRegion;
        }
        return region.contains(position) ? Drag::MoveRegion : Drag::Pan;
    }
    switch (m_tool) {
    case Tool::Window:
        return Drag::Window;
    case Tool::Zoom:
        return Drag::Zoom;
    case Tool::Measure:
        return Drag::Measure;
    default:
        return Drag::Pan;
    }
}

void ImageView::mousePressEvent(QMouseEvent* event)
{
    if (m_drag.button != Qt::NoButton || !hasPicture()) {
        return;
    }
    m_drag = {};
    m_drag.button = event->button();
    m_drag.from = m_drag.last = event->position();
    m_drag.region = m_region;
    m_drag.window = m_shownWindow.value_or(WindowLevel{});
    if (event->button() == Qt::MiddleButton) {
        m_drag.kind = Drag::Pan;
    } else if (event->button() == Qt::RightButton) {
        m_drag.kind = Drag::Window;
    } else if (event->button() == Qt::LeftButton) {
        m_drag.kind = leftDragFor(event->position(), event->modifiers(), &m_drag.handle);
    }
    updateCursor(event->position());
}

void ImageView::mouseMoveEvent(QMouseEvent* event)
{
    if (m_drag.button == Qt::NoButton) {
        hover(event->position());
        return;
    }
    m_cursor = event->position();
    if (!m_drag.moved) {
        if ((event->position() - m_drag.from).manhattanLength() < kClick) {
            return;
        }
        m_drag.moved = true;
        if (m_drag.kind == Drag::Measure) {
            const QPointF start = toPixels(m_drag.from);
            m_measurements.append({m_index, QLineF(start, start)});
        }
    }
    dragTo(event->position());
    m_drag.last = event->position();
}

void ImageView::dragTo(const QPointF& position)
{
    const QPointF step = position - m_drag.last, way = position - m_drag.from;
    const QTransform toWidget = pixelsToWidget(), toPixel = toWidget.inverted();
    switch (m_drag.kind) {
    case Drag::None:
        return;
    case Drag::Pan:
        m_view.pan(step);
        m_fitted = false;
        applyView();
        return;
    case Drag::Zoom:
        zoomBy(std::exp(-step.y() / 100), m_drag.from);
        return;
    case Drag::Window: {
        if (!m_frame.window) {
            return;  // colour has none
        }
        // to the right is wider, up is brighter; by shares of the width, so that it suits any range
        const double width = m_drag.window.width;
        WindowLevel window{m_drag.window.center + way.y() * width / 300,
                           width * std::exp(way.x() / 250)};
        window = {rounded(window.center, width),
                  std::max(rounded(window.width, width), width >= 16 ? 1.0 : width / 1000)};
        Q_EMIT windowRequested(window);
        return;
    }
    case Drag::Measure:
        m_measurements.last().line.setP2(toPixels(position));
        update();
        return;
    case Drag::DrawRegion: {
        const QRectF drawn = QRectF(toPixels(m_drag.from), toPixels(position)).normalized();
        setRegion(drawn.toAlignedRect());
        return;
    }
    case Drag::MoveRegion: {
        const QPointF by = toPixel.map(way) - toPixel.map(QPointF());
        const QRect all = m_frame.pixels.rect();
        QRect moved = m_drag.region.translated(by.toPoint());
        moved.moveLeft(std::clamp(moved.left(), 0, all.width() - moved.width()));
        moved.moveTop(std::clamp(moved.top(), 0, all.height() - moved.height()));
        setRegion(moved);
        return;
    }
    case Drag::ResizeRegion: {
        QRectF edges = toWidget.mapRect(QRectF(m_drag.region));
        if (m_drag.handle & 1) {
            edges.setLeft(edges.left() + way.x());
        }
        if (m_drag.handle & 2) {
            edges.setRight(edges.right() + way.x());
        }
        if (m_drag.handle & 4) {
            edges.setTop(edges.top() + way.y());
        }
        if (m_drag.handle & 8) {
            edges.setBottom(edges.bottom() + way.y());
        }
        const QRectF pixels = toPixel.mapRect(edges.normalized());
        const QPoint topLeft(qRound(pixels.left()), qRound(pixels.top()));
        const QPoint bottomRight(std::max(qRound(pixels.right()) - 1, topLeft.x()),
                                 std::max(qRound(pixels.bottom()) - 1, topLeft.y()));
        setRegion(QRect(topLeft, bottomRight));
        return;
    }
    }
}

void ImageView::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() != m_drag.button) {
        return;
    }
    const bool click = !m_drag.moved;
    m_drag = {};
    if (click && event->button() == Qt::RightButton) {
        Q_EMIT menuRequested(event->globalPosition().toPoint());
    } else if (click && event->button() == Qt::LeftButton) {
        if (const int box = boxAt(event->position()); box >= 0) {
            Q_EMIT boxClicked(box);
        }
    }
    hover(event->position());
}

bool ImageView::cancelDrag()
{
    if (m_drag.button == Qt::NoButton) {
        return false;
    }
    const DragState drag = m_drag;
    m_drag = {};
    if (!drag.moved) {
        return true;
    }
    if (drag.kind == Drag::Window && m_frame.window) {
        Q_EMIT windowRequested(drag.window);
    } else if (drag.kind == Drag::Measure) {
        m_measurements.removeLast();
    } else if (drag.kind == Drag::DrawRegion || drag.kind == Drag::MoveRegion ||
               drag.kind == Drag::ResizeRegion) {
        setRegion(drag.region);
    }
    update();
    return true;
}

void ImageView::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton && hasPicture()) {
        toggleFit(event->position());
    }
}

void ImageView::wheelEvent(QWheelEvent* event)
{
    event->accept();
    if (!hasPicture()) {
        return;
    }
    const int delta =
        event->angleDelta().y() != 0 ? event->angleDelta().y() : event->angleDelta().x();
    const bool touchpad = event->deviceType() == QInputDevice::DeviceType::TouchPad;
    if (event->modifiers().testFlag(Qt::ControlModifier)) {
        zoomBy(std::pow(1.2, delta / 120.0), event->position());
    } else if (m_stepping) {
        m_wheelRest += delta;
        const int steps = m_wheelRest / 120;
        m_wheelRest -= steps * 120;
        if (steps != 0) {
            Q_EMIT stepRequested(-steps);
        }
    } else if (touchpad) {
        m_view.pan(event->pixelDelta().isNull() ? QPointF(event->angleDelta()) / 4
                                                : QPointF(event->pixelDelta()));
        m_fitted = false;
        applyView();
    } else {
        zoomBy(std::pow(1.2, delta / 120.0), event->position());
    }
}

bool ImageView::event(QEvent* event)
{
    if (event->type() == QEvent::NativeGesture) {
        auto* gesture = static_cast<QNativeGestureEvent*>(event);
        if (gesture->gestureType() == Qt::ZoomNativeGesture && hasPicture()) {
            zoomBy(1 + gesture->value(), gesture->position());
            return true;
        }
    } else if (event->type() == QEvent::Gesture) {
        auto* gestures = static_cast<QGestureEvent*>(event);
        if (auto* pinch = static_cast<QPinchGesture*>(gestures->gesture(Qt::PinchGesture));
            pinch && hasPicture()) {
            cancelDrag();
            zoomBy(pinch->scaleFactor(), mapFromGlobal(pinch->centerPoint()));
            return true;
        }
    }
    return QWidget::event(event);
}

void ImageView::leaveEvent(QEvent*)
{
    m_cursor.reset();
    if (std::exchange(m_hoveredTile, -1) >= 0) {
        Q_EMIT tileHovered(-1);
    }
    if (std::exchange(m_hoveredBox, -1) >= 0) {
        Q_EMIT boxHovered(-1);
    }
    update();
}

void ImageView::hover(const QPointF& position)
{
    m_cursor = position;
    if (const int tile = tileAt(position); tile != m_hoveredTile) {
        m_hoveredTile = tile;
        Q_EMIT tileHovered(tile);
    }
    if (const int box = boxAt(position); box != m_hoveredBox) {
        m_hoveredBox = box;
        Q_EMIT boxHovered(box);
    }
    updateCursor(position);
    update();
}

int ImageView::tileAt(const QPointF& widget) const
{
    const QList<QRectF> rects = tileRects();
    if (rects.size() < 2) {
        return -1;  // one tile is the whole picture
    }
    const QPointF at = toPixels(widget);
    for (int i = 0; i < rects.size(); ++i) {
        if (rects[i].contains(at)) {
            return i;
        }
    }
    return -1;
}

int ImageView::boxAt(const QPointF& widget) const
{
    // the smallest one wins, so that a box within a box can be reached
    int found = -1;
    double area = 0;
    for (int i = 0; i < m_boxes.size(); ++i) {
        const QRectF box = pixelsToWidget().mapRect(m_boxes[i].rect);
        const double size = box.width() * box.height();
        if (box.adjusted(-4, -4, 4, 4).contains(widget) && (found < 0 || size < area)) {
            found = i;
            area = size;
        }
    }
    return found;
}

void ImageView::updateCursor(const QPointF& position)
{
    if (!hasPicture()) {
        unsetCursor();
        return;
    }
    const bool held = m_drag.button != Qt::NoButton;
    int handle = m_drag.handle;
    const Drag drag = held ? m_drag.kind : leftDragFor(position, Qt::NoModifier, &handle);
    switch (drag) {
    case Drag::ResizeRegion: {
        const bool diagonal = (handle & 3) && (handle & 12);
        setCursor(diagonal
                      ? (handle == 5 || handle == 10 ? Qt::SizeFDiagCursor : Qt::SizeBDiagCursor)
                      : (handle & 3) ? Qt::SizeHorCursor
                                     : Qt::SizeVerCursor);
        return;
    }
    case Drag::MoveRegion:
        setCursor(Qt::SizeAllCursor);
        return;
    case Drag::DrawRegion:
    case Drag::Measure:
        setCursor(Qt::CrossCursor);
        return;
    case Drag::Zoom:
        setCursor(Qt::SizeVerCursor);
        return;
    case Drag::Pan:
        if (held) {
            setCursor(Qt::ClosedHandCursor);
        } else if (m_tool == Tool::Select) {
            setCursor(boxAt(position) >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
        } else {
            setCursor(Qt::OpenHandCursor);
        }
        return;
    case Drag::Window:
    case Drag::None:
        setCursor(Qt::ArrowCursor);
        return;
    }
}

// Painting

void ImageView::resizeEvent(QResizeEvent*)
{
    m_view.setViewport(size());
    if (m_fitted) {
        m_view.fit();
    }
    applyView();
}

void ImageView::focusInEvent(QFocusEvent*)
{
    update();
}

void ImageView::focusOutEvent(QFocusEvent*)
{
    cancelDrag();
    update();
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
    if (!level.coarse && part.format() != QImage::Format_RGB32) {
        part = part.convertToFormat(QImage::Format_RGB32);
    }
    QPainter painter(&m_cache);
    painter.setRenderHint(QPainter::SmoothPixmapTransform, !level.coarse && zoom() < kHardPixels);
    painter.drawImage(toView.mapRect(QRectF(crop)), part);
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

    if (m_gridVisible || m_litTile >= 0) {
        const QList<QRectF> tiles = tileRects();
        if (m_gridVisible) {
            for (const QRectF& tile : tiles) {
                drawOutline(painter, toWidget.mapRect(tile), kGrid);
            }
        }
        if (m_litTile >= 0 && m_litTile < tiles.size()) {
            drawOutline(painter, around(tiles[m_litTile]), Qt::white);
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
    const QColor measured = findingColor(0);
    for (const Measurement& one : m_measurements) {
        if (one.index != m_index) {
            continue;
        }
        const QLineF line = toWidget.map(one.line);
        drawLine(painter, line, measured);
        const bool rightwards = line.dx() >= 0;
        drawLabel(painter, line.p2() + QPointF(rightwards ? 8 : -8, 0),
                  (rightwards ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter,
                  distanceText(one.line, m_frame.spacing), measured);
    }
}

void ImageView::paintCorners(QPainter& painter)
{
    const QFontMetricsF metrics(painter.font(), this);
    const double room = width() / 2.0 - 1.5 * kMargin;
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
    const double spacing = m_frame.spacing ? m_frame.spacing->x : 0;
    const bool turned = qFuzzyIsNull(m_frame.toShown.m11()) && !qFuzzyIsNull(m_frame.toShown.m12());
    const double across = turned && m_frame.spacing ? m_frame.spacing->y : spacing;
    const auto bar = scaleBar(across / m_view.scale(), std::min(160.0, width() / 4.0));
    draw(Qt::BottomRightCorner, bar ? metrics.height() + 12 : 0);
    if (bar) {
        const double y = height() - kMargin - 4, right = width() - kMargin - 1;
        const QString text = bar->millimetres >= 10 ? tr("%1 cm").arg(number(bar->millimetres / 10))
                                                    : tr("%1 mm").arg(number(bar->millimetres));
        drawLine(painter, QLineF(right - bar->pixels, y, right, y), kText);
        drawLabel(painter, {right, y - 7}, Qt::AlignRight | Qt::AlignBottom, text, kText);
    }
}

}  // namespace ui
