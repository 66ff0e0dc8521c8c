#pragma once

#include "inference/tiling.h"
#include "ui/model/document.h"
#include "ui/view/image_overlay.h"
#include "ui/view/picture_levels.h"
#include "ui/view/view_transform.h"

#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

#include <optional>

namespace ui {

/// What the left button does on the picture.
enum class Tool { Select, Window, Pan, Zoom, Measure, Region };

/// One picture with what is drawn over it, and the mouse on it. Zoom, pan, region and measuring
/// are its own; stepping and windowing are asked for by signal, since another picture comes of it.
/// Regions, boxes and tiles are in coordinates of frame().pixels.
class ImageView : public QWidget {
    Q_OBJECT
public:
    explicit ImageView(QWidget* parent = nullptr);
    ~ImageView() override;

    /// Keeps zoom and place where the picture's size stays, fits it otherwise.
    void setFrame(const Frame& frame, int index = 0);
    void clear();
    const Frame& frame() const { return m_frame; }
    bool hasPicture() const { return !m_frame.pixels.isNull(); }

    Tool tool() const { return m_tool; }
    void setTool(Tool tool);

    QRect region() const { return m_region; }
    void setRegion(const QRect& region);  // clipped to the picture; null: none

    void setBoxes(const QList<OverlayBox>& boxes);
    const QList<OverlayBox>& boxes() const { return m_boxes; }
    void flashBox(int index);

    void setTiling(const inference::TilingOptions& options);
    const inference::TilingOptions& tiling() const { return m_tiling; }
    bool isTileGridVisible() const { return m_gridVisible; }
    void setTileGridVisible(bool visible);
    /// Lights one tile's rectangle, row by row from 0, whether the grid is shown or not; -1: none.
    void highlightTile(int tile);
    /// Where the tiles of the region (or of the whole picture) lie, in frame().pixels.
    QList<QRectF> tileRects() const;

    bool isCornerTextVisible() const { return m_cornerVisible; }
    void setCornerTextVisible(bool visible);
    /// Overrides what the corner says about the window, while a frame for it is still being made.
    void setShownWindow(const std::optional<WindowLevel>& window, bool inverted);
    void setTitle(const QString& title);
    QStringList cornerText(Qt::Corner corner) const;
    /// Letters of the patient's directions at an edge of the view; the picture may be turned.
    QString edgeLetters(Qt::Edge edge) const;

    const QList<Measurement>& measurements() const { return m_measurements; }
    void clearMeasurements();

    const ViewTransform& view() const { return m_view; }
    void setView(const ViewTransform& view);  // of a picture of the same size
    void fit();
    bool isFitted() const { return m_fitted; }
    /// Screen pixels a picture pixel; 1 shows every pixel once.
    double zoom() const { return m_view.scale() * devicePixelRatioF(); }
    void setZoom(double zoom);
    void zoomBy(double factor, const QPointF& at);
    /// frame().pixels to this widget's coordinates.
    QTransform pixelsToWidget() const;

    /// The wheel steps through frames where there are several, and zooms where there is one.
    void setStepping(bool several) { m_stepping = several; }

    /// Ends what the mouse is doing, as if it had not begun. False where it was doing nothing.
    bool cancelDrag();

    QSize sizeHint() const override { return {640, 480}; }
    QSize minimumSizeHint() const override { return {160, 120}; }

Q_SIGNALS:
    void regionChanged(const QRect& region);
    void stepRequested(int by);
    void windowRequested(const ui::WindowLevel& window);
    void menuRequested(const QPoint& globalPosition);
    void tileHovered(int tile);  // -1: none
    void boxHovered(int box);    // -1: none
    void boxClicked(int box);
    void viewChanged();

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    enum class Drag { None, Pan, Zoom, Window, Measure, DrawRegion, MoveRegion, ResizeRegion };
    struct DragState {
        Drag kind = Drag::None;
        Qt::MouseButton button = Qt::NoButton;
        QPointF from, last;  // widget
        QRect region;        // as it was
        int handle = 0;      // see regionHandleAt
        WindowLevel window;  // as it was
        bool moved = false;  // beyond a click
    };

    Drag leftDragFor(const QPointF& position, Qt::KeyboardModifiers modifiers, int* handle) const;
    void dragTo(const QPointF& position);
    void hover(const QPointF& position);
    void updateCursor(const QPointF& position);
    void toggleFit(const QPointF& at);
    void applyView();
    QPointF toPixels(const QPointF& widget) const;
    int tileAt(const QPointF& widget) const;
    int boxAt(const QPointF& widget) const;
    void paintPicture();
    void paintOverlays(QPainter& painter);
    void paintCorners(QPainter& painter);
    void paintEdges(QPainter& painter);

    Frame m_frame;
    int m_index = 0;
    QString m_title;
    std::optional<WindowLevel> m_shownWindow;
    bool m_shownInverted = false;
    PictureLevels m_levels;
    ViewTransform m_view, m_beforeFit;
    bool m_fitted = true, m_stepping = false;
    QPixmap m_cache;  // the picture as it lies in the widget now, without overlays
    bool m_cacheValid = false;

    Tool m_tool = Tool::Select;
    DragState m_drag;
    QRect m_region;
    QList<Measurement> m_measurements;
    QList<OverlayBox> m_boxes;
    int m_hoveredBox = -1, m_flashedBox = -1, m_flashes = 0;
    QTimer m_flashTimer;
    inference::TilingOptions m_tiling;
    bool m_gridVisible = false, m_cornerVisible = true;
    int m_litTile = -1, m_hoveredTile = -1;
    std::optional<QPointF> m_cursor;  // widget
    int m_wheelRest = 0;
};

}  // namespace ui
