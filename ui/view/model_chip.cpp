#include "ui/view/model_chip.h"

#include "ui/view/theme.h"

#include <QEvent>
#include <QLocale>
#include <QPainter>

namespace ui {

QString byteText(qint64 bytes)
{
    return QLocale().formattedDataSize(bytes, bytes < 1'000'000'000 ? 0 : 1,
                                       QLocale::DataSizeSIFormat);
}

QString countText(qint64 count)
{
    const QLocale locale;
    if (count >= 1'000'000'000) {
        return QObject::tr("%1 billion").arg(locale.toString(double(count) / 1e9, 'f', 1));
    }
    return count >= 1'000'000
        ? QObject::tr("%1 million").arg(locale.toString(double(count) / 1e6, 'f', 0))
        : locale.toString(count);
}

ModelChip::ModelChip(EngineThread& engine, QWidget* parent)
    : QToolButton(parent)
    , m_engine(engine)
{
    setObjectName("modelChip");
    setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    setIconSize({16, 16});
    connect(&engine, &EngineThread::stateChanged, this, [this] {
        m_done = m_total = 0;
        showState();
    });
    connect(&engine, &EngineThread::loadProgress, this, [this](qint64 done, qint64 total) {
        m_done = done;
        m_total = total;
        showState();
    });
    showState();
}

void ModelChip::showState()
{
    const Theme& theme = currentTheme();
    QColor colour = theme.secondaryText;
    QString text, tip;
    bool ring = false;
    const auto& info = m_engine.info();
    switch (m_engine.state()) {
    case EngineThread::State::Empty:
        text = tr("No model");
        tip = tr("No model is loaded; click to choose one (Ctrl+L)");
        break;
    case EngineThread::State::Loading:
        colour = theme.accent;
        ring = true;
        text = m_total > 0 ? tr("Loading %1 %").arg(m_done * 100 / m_total) : tr("Loading…");
        tip = m_total > 0 ? tr("%1 of %2 read").arg(byteText(m_done), byteText(m_total)) : text;
        break;
    case EngineThread::State::Ready:
        colour = theme.good;
        text = QString::fromStdString(info.name);
        tip = tr("%1\n%2 parameters · %3 · %4")
                  .arg(text, countText(info.parameters), QString::fromStdString(info.device),
                       QString::fromStdString(info.dtype));
        if (!info.adapter.empty()) {
            tip += tr("\nwith the adapter %1").arg(QString::fromStdString(info.adapter));
        }
        if (info.demonstration) {
            tip += QLatin1Char('\n') + tr(inference::demonstrationMark);
        }
        break;
    case EngineThread::State::Failed:
        colour = theme.error;
        text = tr("Model failed");
        tip = m_engine.failure();
        break;
    }
    const double ratio = devicePixelRatioF();
    QPixmap dot(QSize(16, 16) * ratio);
    dot.setDevicePixelRatio(ratio);
    dot.fill(Qt::transparent);
    QPainter painter(&dot);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(colour, 2));
    painter.setBrush(ring ? QBrush(Qt::NoBrush) : QBrush(colour));
    painter.drawEllipse(QPointF(8, 8), 4, 4);
    painter.end();
    setIcon(dot);
    QString shown = fontMetrics().elidedText(text, Qt::ElideMiddle, 220);
    setText(shown.replace(QLatin1Char('&'), QLatin1String("&&")));
    setToolTip(tip);
    setAccessibleName(tr("Model: %1").arg(text));
}

void ModelChip::changeEvent(QEvent* event)
{
    QToolButton::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        showState();
    }
}

}  // namespace ui
