#include "ui/view/tile_grid.h"

#include "ui/view/theme.h"

#include <QApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

namespace {

constexpr int kLargest = 96, kSmallest = 20;  // px of a tile's side
constexpr int kNarrowest = 48;                // to which it shrinks for want of width
constexpr int kGap = 2, kApart = 16;          // between tiles; from the grid to the thumbnail
constexpr int kRing = 2;                      // room around, for the lit tile's frame

}  // namespace

TileGridWidget::TileGridWidget(QWidget* parent)
    : QWidget(parent)
{
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Tiles the model sees"));
    m_layout.tiles = 0;
}

void TileGridWidget::setTiles(const inference::TileLayout& layout, const QList<QImage>& tiles)
{
    const bool other = layout.grid != m_layout.grid || layout.tiles != m_layout.tiles;
    m_layout = layout;
    m_tiles = tiles;
    m_scaled.clear();
    if (m_lit >= m_layout.tiles) {
        m_lit = -1;
    }
    if (other) {
        updateGeometry();
        resize(sizeHint());
    }
    update();
}

void TileGridWidget::setRoom(const QSize& room)
{
    if (room != m_room) {
        m_room = room;
        m_scaled.clear();
        updateGeometry();
        resize(sizeHint());
        update();
    }
}

int TileGridWidget::tileSide() const
{
    const int rows = std::max(m_layout.grid.rows, 1), columns = std::max(m_layout.grid.columns, 1);
    const int high = (m_room.height() - 2 * kRing - (rows - 1) * kGap) / rows;
    const int apart = m_layout.thumbnail ? kApart + thumbnailSide() : 0;
    const int wide = (m_room.width() - 2 * kRing - (columns - 1) * kGap - apart) / columns;
    return std::clamp(std::min(high, std::max(wide, kNarrowest)), kSmallest, kLargest);
}

int TileGridWidget::thumbnailSide() const
{
    return std::clamp(m_room.height() - 2 * kRing, kSmallest, kLargest);
}

QRect TileGridWidget::tileRect(int tile) const
{
    if (tile < 0 || tile >= m_layout.tiles) {
        return {};
    }
    const int side = tileSide(), columns = m_layout.grid.columns;
    if (isThumbnail(tile)) {
        return {kRing + columns * (side + kGap) - kGap + kApart, kRing, thumbnailSide(),
                thumbnailSide()};
    }
    return {kRing + tile % columns * (side + kGap), kRing + tile / columns * (side + kGap), side,
            side};
}

int TileGridWidget::tileAt(const QPoint& position) const
{
    for (int tile = 0; tile < m_layout.tiles; ++tile) {
        if (tileRect(tile).contains(position)) {
            return tile;
        }
    }
    return -1;
}

void TileGridWidget::setLit(int tile)
{
    const int lit = tile < m_layout.tiles ? tile : -1;
    if (lit != m_lit) {
        m_lit = lit;
        update();
    }
}

QSize TileGridWidget::sizeHint() const
{
    QRect all;
    for (int tile = 0; tile < m_layout.tiles; ++tile) {
        all |= tileRect(tile);
    }
    return all.isNull() ? QSize(kLargest, kLargest)
                        : QSize(all.right() + 1 + kRing, all.bottom() + 1 + kRing);
}

void TileGridWidget::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const double ratio = devicePixelRatioF();
    if (m_scaled.isEmpty() || m_scaled.first().devicePixelRatio() != ratio) {
        m_scaled.clear();
        for (int tile = 0; tile < m_tiles.size(); ++tile) {
            QPixmap scaled = QPixmap::fromImage(
                m_tiles[tile].scaled((QSizeF(tileRect(tile).size()) * ratio).toSize(),
                                     Qt::IgnoreAspectRatio, Qt::SmoothTransformation));
            scaled.setDevicePixelRatio(ratio);
            m_scaled.append(scaled);
        }
    }
    for (int tile = 0; tile < m_layout.tiles; ++tile) {
        const QRect rect = tileRect(tile);
        if (tile < m_scaled.size()) {
            painter.drawPixmap(rect.topLeft(), m_scaled[tile]);
        } else {
            painter.fillRect(rect, currentTheme().raised);
        }
        if (tile == m_lit) {
            painter.setPen(QPen(currentTheme().accent, kRing));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(QRectF(rect).adjusted(-1, -1, 1, 1));
        }
    }
    if (hasFocus()) {
        painter.setPen(QPen(currentTheme().accent, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(rect().adjusted(0, 0, -1, -1));
    }
}

void TileGridWidget::hoverTo(int tile)
{
    if (tile != m_lit) {
        setLit(tile);
        Q_EMIT hovered(m_lit);
    }
}

void TileGridWidget::mouseMoveEvent(QMouseEvent* event)
{
    hoverTo(tileAt(event->position().toPoint()));
}

void TileGridWidget::mousePressEvent(QMouseEvent* event)
{
    const int tile = tileAt(event->position().toPoint());
    if (event->button() == Qt::LeftButton && tile >= 0) {
        Q_EMIT chosen(tile);
    }
}

void TileGridWidget::leaveEvent(QEvent*)
{
    if (!QApplication::activePopupWidget()) {  // an opened tile stays lit
        hoverTo(-1);
    }
}

void TileGridWidget::keyPressEvent(QKeyEvent* event)
{
    const int last = m_layout.tiles - 1, columns = m_layout.grid.columns;
    const int from = m_lit;
    const bool thumbnail = isThumbnail(from);
    switch (event->key()) {
    case Qt::Key_Left:
        return hoverTo(std::clamp(from - 1, 0, std::max(last, 0)));
    case Qt::Key_Right:
        return hoverTo(std::min(from + 1, last));
    case Qt::Key_Up:
        return thumbnail ? void() : hoverTo(from >= columns ? from - columns : std::max(from, 0));
    case Qt::Key_Down: {
        const int tiles = columns * m_layout.grid.rows;
        return thumbnail ? void()
                         : hoverTo(from + columns < tiles ? from + columns : std::max(from, 0));
    }
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        if (m_lit >= 0) {
            Q_EMIT chosen(m_lit);
        }
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

void TileGridWidget::focusInEvent(QFocusEvent*)
{
    update();
}

void TileGridWidget::focusOutEvent(QFocusEvent*)
{
    update();
}

bool TileGridWidget::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const int tile = tileAt(help->pos());
        if (tile < 0) {
            QToolTip::hideText();
        } else if (isThumbnail(tile)) {
            QToolTip::showText(help->globalPos(), tr("Thumbnail: the whole picture once more"),
                               this);
        } else {
            QToolTip::showText(help->globalPos(), tr("Tile %1").arg(tile + 1), this,
                               tileRect(tile));
        }
        return true;
    }
    return QWidget::event(event);
}

TilePopup::TilePopup(QWidget* parent)
    : QFrame(parent, Qt::Popup | Qt::FramelessWindowHint)
    , m_picture(new QLabel(this))
    , m_text(new QLabel(this))
{
    setAttribute(Qt::WA_DeleteOnClose);
    setFrameShape(QFrame::StyledPanel);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 8, 8, 8);
    column->setSpacing(4);
    column->addWidget(m_picture);
    column->addWidget(m_text);
    m_text->setProperty("kvlRole", "secondary");
    setFocusPolicy(Qt::StrongFocus);
}

void TilePopup::showTile(const QImage& tile, const QString& text)
{
    m_picture->setPixmap(QPixmap::fromImage(tile));
    m_picture->setAccessibleName(text);
    m_text->setText(text);
    setAccessibleName(text);
}

void TilePopup::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Left:
    case Qt::Key_Up:
        Q_EMIT stepRequested(-1);
        return;
    case Qt::Key_Right:
    case Qt::Key_Down:
        Q_EMIT stepRequested(1);
        return;
    case Qt::Key_Escape:
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        close();
        return;
    default:
        QFrame::keyPressEvent(event);
    }
}

void TilePopup::mousePressEvent(QMouseEvent*)
{
    close();
}

}  // namespace ui
