#include "ui/view/image_view.h"

#include <QResizeEvent>
#include <QStyle>

namespace ui {

namespace {

constexpr int kFlashMilliseconds = 130;

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

}  // namespace ui
