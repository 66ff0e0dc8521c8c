#include "ui/view/status_bar.h"

#include "ui/view/memory_use.h"
#include "ui/view/model_chip.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>

namespace ui {

StatusBar::StatusBar(EngineThread& engine, QWidget* parent)
    : QStatusBar(parent)
    , m_engine(engine)
{
    setObjectName("statusBar");
    setSizeGripEnabled(false);
    const auto quiet = [this](const char* name) {
        auto* label = new QLabel;
        label->setObjectName(name);
        label->setProperty("kvlRole", "secondary");
        QFont small = label->font();
        small.setPointSizeF(small.pointSizeF() * 0.85);
        label->setFont(small);
        return label;
    };
    auto* left = new QWidget;
    auto* row = new QHBoxLayout(left);
    row->setContentsMargins(8, 2, 8, 2);
    row->setSpacing(8);
    m_device = quiet("statusDevice");
    row->addWidget(m_device);
    m_demonstration = quiet("statusDemonstration");
    m_demonstration->setText(tr(inference::demonstrationMark));
    m_demonstration->setProperty("kvlRole", "warning");
    row->addWidget(m_demonstration);
    row->addSpacing(8);
    m_memoryBar = new QProgressBar;
    m_memoryBar->setTextVisible(false);
    m_memoryBar->setFixedWidth(64);
    m_memoryBar->setRange(0, 1000);
    row->addWidget(m_memoryBar);
    m_memory = quiet("statusMemory");
    row->addWidget(m_memory);
    row->addStretch(1);
    addWidget(left);

    connect(&engine, &EngineThread::stateChanged, this, &StatusBar::showEngine);
    connect(&engine, &EngineThread::loadProgress, this,
            [this](qint64 done, qint64 total) { progress("load", done, total); });
    connect(&m_tick, &QTimer::timeout, this, &StatusBar::showMemory);
    m_tick.start(2000);
    showEngine();
    showMemory();
}

void StatusBar::showEngine()
{
    using State = EngineThread::State;
    switch (m_engine.state()) {
    case State::Empty:
        m_device->setText(tr("No model"));
        break;
    case State::Loading:
        m_device->setText(tr("Loading"));
        break;
    case State::Failed:
        m_device->setText(tr("Model failed"));
        break;
    case State::Ready:
        m_device->setText(
            QString::fromStdString(m_engine.info().device + " · " + m_engine.info().dtype));
        break;
    }
    m_demonstration->setVisible(m_engine.state() == State::Ready && m_engine.info().demonstration);
    if (m_engine.state() == State::Loading) {
        begin("load", tr("Loading the model"), [this] { m_engine.cancelLoad(); });
    } else {
        end("load");
    }
    showMemory();
}

void StatusBar::showMemory()
{
    const MemoryUse use = memoryUse();
    m_memoryBar->setVisible(use.total > 0);
    m_memory->setVisible(use.total > 0);
    if (use.total > 0) {
        m_memoryBar->setValue(int((use.total - use.available) * 1000 / use.total));
        m_memory->setText(
            tr("memory %1 here, %2 free").arg(byteText(use.own), byteText(use.available)));
        m_memoryBar->setToolTip(tr("%1 of %2 of main memory are in use")
                                    .arg(byteText(use.total - use.available), byteText(use.total)));
    }
}

void StatusBar::begin(const QString& name, const QString& text, const std::function<void()>& cancel)
{
    Job& job = m_jobs[name];
    if (!job.row) {
        job.row = new QWidget;
        job.row->setObjectName("job-" + name);
        auto* row = new QHBoxLayout(job.row);
        row->setContentsMargins(8, 0, 4, 0);
        row->setSpacing(8);
        job.text = new QLabel;
        job.text->setTextFormat(Qt::PlainText);
        job.bar = new QProgressBar;
        job.bar->setTextVisible(false);
        job.bar->setFixedWidth(96);
        job.bar->setRange(0, 0);
        job.cancel = new QToolButton;
        job.cancel->setText(QStringLiteral("✕"));
        row->addWidget(job.text);
        row->addWidget(job.bar);
        row->addWidget(job.cancel);
        addPermanentWidget(job.row);
    }
    job.text->setText(fontMetrics().elidedText(text, Qt::ElideMiddle, 320));
    job.cancel->setVisible(bool(cancel));
    job.cancel->setToolTip(tr("Cancel: %1").arg(text));
    disconnect(job.cancel, &QToolButton::clicked, this, nullptr);
    if (cancel) {
        connect(job.cancel, &QToolButton::clicked, this, [cancel] { cancel(); });
    }
}

void StatusBar::progress(const QString& name, qint64 done, qint64 total)
{
    if (const auto job = m_jobs.constFind(name); job != m_jobs.constEnd()) {
        job->bar->setRange(0, total > 0 ? 1000 : 0);
        job->bar->setValue(total > 0 ? int(done * 1000 / total) : 0);
    }
}

void StatusBar::end(const QString& name)
{
    if (const Job job = m_jobs.take(name); job.row) {
        removeWidget(job.row);
        job.row->deleteLater();
    }
}

}  // namespace ui
