#pragma once

#include "inference/tiling.h"

#include <QFrame>
#include <QImage>
#include <QList>
#include <QPixmap>
#include <QWidget>

class QLabel;

namespace ui {

/// The tiles in their places, the thumbnail apart on the right. Tiles are numbered row by row, the
/// thumbnail is the last.
class TileGridWidget : public QWidget {
    Q_OBJECT
public:
    explicit TileGridWidget(QWidget* parent = nullptr);

    /// As many pictures as the layout has tiles, or none while they are being cut.
    void setTiles(const inference::TileLayout& layout, const QList<QImage>& tiles);
    /// Tiles become as large as this lets them, 20 to 96 px; what does not fit then is scrolled to.
    void setRoom(const QSize& room);
    int count() const { return m_layout.tiles; }
    bool isThumbnail(int tile) const { return m_layout.thumbnail && tile == m_layout.tiles - 1; }
    QRect tileRect(int tile) const;
    int tileAt(const QPoint& position) const;  // -1: none

    int lit() const { return m_lit; }
    void setLit(int tile);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

Q_SIGNALS:
    void hovered(int tile);  // by mouse or keys; -1: none
    void chosen(int tile);   // clicked, or Enter

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    bool event(QEvent* event) override;

private:
    int tileSide() const;
    int thumbnailSide() const;
    void hoverTo(int tile);

    inference::TileLayout m_layout;
    QList<QImage> m_tiles;
    QList<QPixmap> m_scaled;  // as drawn; made when first painted
    QSize m_room{800, 100};
    int m_lit = -1;
};

/// One tile in the size the model gets it, until clicked away.
class TilePopup : public QFrame {
    Q_OBJECT
public:
    explicit TilePopup(QWidget* parent = nullptr);
    void showTile(const QImage& tile, const QString& text);

Q_SIGNALS:
    void stepRequested(int by);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    QLabel* m_picture;
    QLabel* m_text;
};

}  // namespace ui
