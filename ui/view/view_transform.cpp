#include "ui/view/view_transform.h"

#include <algorithm>

namespace ui {

void ViewTransform::setPicture(const QSizeF& size, double aspect)
{
    m_picture = size.expandedTo({1, 1});
    m_aspect = aspect > 0 ? aspect : 1;
}

double ViewTransform::fitScale() const
{
    return std::min(m_viewport.width() / m_picture.width(),
                    m_viewport.height() / (m_picture.height() * m_aspect));
}

void ViewTransform::fit()
{
    m_scale = std::max(fitScale(), 1e-6);
    m_centre = {m_picture.width() / 2, m_picture.height() / 2};
}

void ViewTransform::setScale(double scale)
{
    // a small picture can be fitted larger than largestScale, a huge one smaller than a tenth
    m_scale = std::clamp(scale, std::min(fitScale(), 0.1), std::max(fitScale(), largestScale));
}

void ViewTransform::zoomAt(const QPointF& at, double factor)
{
    const QPointF before = toPicture(at);
    setScale(m_scale * factor);
    setCentre(m_centre + before - toPicture(at));
}

void ViewTransform::pan(const QPointF& viewPixels)
{
    setCentre(m_centre - QPointF(viewPixels.x() / m_scale, viewPixels.y() / (m_scale * m_aspect)));
}

void ViewTransform::setCentre(const QPointF& centre)
{
    // the middle of the view stays on the picture, so that it cannot be lost
    m_centre = {std::clamp(centre.x(), 0.0, m_picture.width()),
                std::clamp(centre.y(), 0.0, m_picture.height())};
}

QTransform ViewTransform::toView() const
{
    const double sy = m_scale * m_aspect;
    return QTransform(m_scale, 0, 0, sy, m_viewport.width() / 2 - m_centre.x() * m_scale,
                      m_viewport.height() / 2 - m_centre.y() * sy);
}

QPointF ViewTransform::toPicture(const QPointF& view) const
{
    return toView().inverted().map(view);
}

QRectF ViewTransform::pictureInView() const
{
    return toView().mapRect(QRectF({0, 0}, m_picture));
}

}  // namespace ui
