#include "ui/view/memory_bar.h"

#include "ui/view/model_chip.h"
#include "ui/view/theme.h"

#include <QPainter>
#include <QPainterPath>

#include <algorithm>

namespace ui {
namespace {

constexpr int conversationTokens = 8192;

qint64 conversationBytes(const inference::DevicePlan& plan)
{
    return std::min(plan.kvFull, plan.kvPerThousand * conversationTokens / 1000);
}

}  // namespace

MemoryBar::MemoryBar(QWidget* parent)
    : QWidget(parent)
{
    setObjectName("modelMemory");
    setFixedHeight(fontMetrics().height() + 14);
}

void MemoryBar::show(const std::optional<inference::DevicePlan>& plan)
{
    m_plan = plan;
    m_text.clear();
    if (plan) {
        m_text = tr("weights %1 · conversation %2 · pictures %3 · %4 of %5 free")
                     .arg(byteText(plan->weights), byteText(conversationBytes(*plan)),
                          byteText(plan->work), byteText(plan->memory.free),
                          byteText(plan->memory.total));
    }
    setToolTip(plan ? tr("%1: weights; keys and values of a conversation of 8,192 tokens; what is "
                         "held while a picture of most tiles is read")
                          .arg(QString::fromStdString(plan->memory.device))
                    : QString());
    update();
}

void MemoryBar::paintEvent(QPaintEvent*)
{
    if (!m_plan) {
        return;
    }
    const Theme& theme = currentTheme();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const qint64 taken = m_plan->memory.total - m_plan->memory.free;
    const qint64 conversation = conversationBytes(*m_plan);
    const bool fits = m_plan->weights + conversation + m_plan->work <= m_plan->memory.free;
    const auto whole =
        std::max<double>(double(m_plan->memory.total),
                         double(taken + m_plan->weights + conversation + m_plan->work));
    const QRectF bar(0, 2, width(), 8);
    QPainterPath clip;
    clip.addRoundedRect(bar, 4, 4);
    painter.setClipPath(clip);
    painter.fillRect(bar, theme.track);
    double from = 0;
    const auto part = [&](qint64 bytes, const QColor& colour) {
        const double length = double(bytes) / whole * width();
        painter.fillRect(QRectF(from, 2, length, 8), colour);
        from += length;
    };
    const QColor own = fits ? theme.accent : theme.warning;
    part(taken, theme.outline);
    part(m_plan->weights, own);
    part(conversation, own.darker(135));
    part(m_plan->work, own.darker(180));
    painter.setClipping(false);
    painter.setPen(theme.secondaryText);
    painter.drawText(rect().adjusted(0, 12, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, m_text);
}

}  // namespace ui
