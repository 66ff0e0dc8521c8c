#pragma once

#include <QPointF>
#include <QRectF>
#include <QSizeF>
#include <QTransform>

namespace ui {

/// How a picture lies in a view: scale and centre. `aspect` is the height of a picture pixel over
/// its width, so that a round thing stays round where the pixels are not square.
class ViewTransform {
public:
    void setPicture(const QSizeF& size, double aspect = 1);
    void setViewport(const QSizeF& size) { m_viewport = size; }
    const QSizeF& picture() const { return m_picture; }
    const QSizeF& viewport() const { return m_viewport; }
    double aspect() const { return m_aspect; }

    /// View pixels a picture pixel is wide.
    double scale() const { return m_scale; }
    const QPointF& centre() const { return m_centre; }  // picture coordinates in the view's middle

    double fitScale() const;
    void fit();
    void setScale(double scale);
    /// The picture point under `at` stays there.
    void zoomAt(const QPointF& at, double factor);
    void pan(const QPointF& viewPixels);
    void setCentre(const QPointF& centre);

    QTransform toView() const;
    QPointF toPicture(const QPointF& view) const;
    QRectF pictureInView() const;

    static constexpr double largestScale = 64;

private:
    QSizeF m_picture{1, 1}, m_viewport{1, 1};
    double m_aspect = 1, m_scale = 1;
    QPointF m_centre;
};

}  // namespace ui
