#include "ui/view/image_view.h"

#include <QGestureEvent>
#include <QMouseEvent>
#include <QNativeGestureEvent>

#include <algorithm>
#include <cmath>
#include <utility>

/// Mouse, wheel and gestures on the picture.
namespace ui {

namespace {

constexpr double kClick = 4;           // px the mouse may move within a click
constexpr double kSmallestRegion = 8;  // px on the screen, both sides below: no region was meant

/// Integers where the window was in integers' range, else four digits of its width.
double rounded(double value, double width)
{
    if (width >= 16) {
        return std::round(value);
    }
    const double step = std::pow(10, std::floor(std::log10(std::max(width, 1e-12))) - 3);
    return std::round(value / step) * step;
}

}  // namespace

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
    const DragState drag = m_drag;
    m_drag = {};
    if (!click && drag.kind == Drag::DrawRegion) {
        const QPointF way = event->position() - drag.from;
        if (std::abs(way.x()) < kSmallestRegion && std::abs(way.y()) < kSmallestRegion) {
            setRegion(drag.region);  // a slip of the hand
        }
    }
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

}  // namespace ui
