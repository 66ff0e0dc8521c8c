#pragma once

#include <QImage>
#include <QVector>

#include <functional>
#include <memory>

namespace ui {

/// A picture at full, half, quarter … size, so that drawing it small is quick and does not alias.
/// The levels of a big picture are made on the pool; until they come the full one is drawn coarse.
class PictureLevels {
public:
    PictureLevels();
    ~PictureLevels();

    /// `onReady` runs on the GUI thread when more levels have come.
    void setPicture(const QImage& picture, std::function<void()> onReady);
    const QImage& picture() const { return m_levels.isEmpty() ? m_none : m_levels.first(); }

    struct Level {
        const QImage& image;
        double scale;  // picture pixels a pixel of this level
        bool coarse;   // a smaller one is wanted and not there yet
    };
    /// The smallest level that still has a pixel for each screen pixel at `zoom` screen pixels a
    /// picture pixel.
    Level levelFor(double zoom) const;
    int count() const { return int(m_levels.size()); }

    /// 2 × 2 means of an RGB888 or RGB32 picture, as RGB32; odd edges are averaged over what is
    /// there.
    static QImage halved(const QImage& image);

private:
    QVector<QImage> m_levels;  // first the picture itself
    QImage m_none;
    std::shared_ptr<int> m_generation;
};

}  // namespace ui
