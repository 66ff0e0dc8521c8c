#pragma once

#include "inference/image.h"
#include "inference/tiling.h"

#include <QImage>
#include <QRect>
#include <QWidget>

#include <vector>

class QLabel;
class QScrollArea;
class QSlider;

namespace ui {

/// "4 × 3 + thumbnail · 13 tiles · 3,328 tokens · 1792 × 1344 from 512 × 512 (enlarged 3.5 ×)"
QString tileCaption(const inference::TileLayout& layout, const QSize& from);

class TileGridWidget;

/// What the model sees: the very tiles it is given, in their grid, the thumbnail apart, and what
/// they cost. Tiles are cut on the pool; of several pictures the latest wins.
class TileStrip : public QWidget {
    Q_OBJECT
public:
    explicit TileStrip(QWidget* parent = nullptr);

    /// `rgb888`: Frame::pixels; `region` in its pixels, null: all of it; `note`: how it differs
    /// from what the viewer shows (Frame::note), empty where it does not. A null picture clears.
    void setPicture(const QImage& rgb888, const QRect& region = {}, const QString& note = {});
    void clear() { setPicture({}); }

    void setModel(int tileSize, int tokensPerTile);
    const inference::TilingOptions& options() const { return m_options; }
    /// All at once, as the loaded model has them.
    void setOptions(const inference::TilingOptions& options);
    int maxTiles() const { return m_options.maxTiles; }
    void setMaxTiles(int count);
    void setMaxTilesLimit(int count);  // of the slider; 12 at first, at most 24 are of use

    const inference::TileLayout& layoutOfTiles() const { return m_layout; }
    QString caption() const;
    /// The tiles as cutTiles gave them, thumbnail last; empty while they are being cut.
    const std::vector<inference::Image>& tiles() const { return m_tiles; }
    bool isBusy() const;

    int hoveredTile() const;
    /// Lights a tile as hovering does, without the signal; -1: none.
    void setHoveredTile(int tile);
    /// Shows a tile in its own size; the thumbnail is the last.
    void openTile(int tile);

    QSize sizeHint() const override { return {720, 112}; }
    QSize minimumSizeHint() const override { return {320, 112}; }

Q_SIGNALS:
    void maxTilesChanged(int count);
    /// Row by row from 0; -1: none, and for the thumbnail, which is the whole picture.
    void tileHovered(int tile);
    void layoutChanged(const inference::TileLayout& layout);
    void tilesReady();

protected:
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void recut();
    void start();
    void updateTexts();

    int m_current = 0;  // grows with each picture; a job knows by it whether it is late
    bool m_running = false, m_again = false;
    inference::TilingOptions m_options;
    inference::TileLayout m_layout;
    QImage m_picture;
    QRect m_region;
    QString m_note;
    std::vector<inference::Image> m_tiles;
    QString m_failure;
    QSize m_from;  // what the tiles are cut from

    TileGridWidget* m_grid;
    QScrollArea* m_scroll;
    QLabel* m_caption;
    QLabel* m_empty = nullptr;
    QLabel* m_noteLabel;
    QSlider* m_slider;
    QLabel* m_sliderValue;
    QWidget* m_column = nullptr;
};

}  // namespace ui
