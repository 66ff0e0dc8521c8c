#include "ui/view/busy_line.h"

#include "ui/view/theme.h"

#include <QPainter>
#include <QStyle>

#include <cmath>

namespace ui {

BusyLine::BusyLine(QWidget* parent)
    : QWidget(parent)
{
    setFixedHeight(2);
    setAttribute(Qt::WA_TransparentForMouseEvents);
    m_timer.setInterval(33);
    connect(&m_timer, &QTimer::timeout, this, [this] {
        m_place = std::fmod(m_place + 0.025, 1);
        update();
    });
}

void BusyLine::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const QColor accent = currentTheme().accent;
    if (!m_timer.isActive()) {
        painter.fillRect(rect(), accent);
        return;
    }
    const double part = width() * 0.25;
    painter.fillRect(QRectF(m_place * (width() + part) - part, 0, part, height()), accent);
}

void BusyLine::showEvent(QShowEvent*)
{
    if (style()->styleHint(QStyle::SH_Widget_Animation_Duration, nullptr, this) > 0) {
        m_timer.start();
    }
}

void BusyLine::hideEvent(QHideEvent*)
{
    m_timer.stop();
    m_place = 0;
}

}  // namespace ui
