#pragma once

#include "ui/model/engine_thread.h"

#include <QHash>
#include <QStatusBar>
#include <QTimer>

#include <functional>

class QHBoxLayout;
class QLabel;
class QProgressBar;
class QToolButton;

namespace ui {

/// Device, dtype, memory, and what is going on in the background with its progress and a ✕.
class StatusBar : public QStatusBar {
    Q_OBJECT
public:
    explicit StatusBar(EngineThread& engine, QWidget* parent = nullptr);

    /// Shows a job until end(); `cancel` may be empty. Beginning it again changes its words.
    void begin(const QString& job, const QString& text, const std::function<void()>& cancel);
    void progress(const QString& job, qint64 done, qint64 total);
    void end(const QString& job);
    bool isRunning(const QString& job) const { return m_jobs.contains(job); }

private:
    struct Job {
        QWidget* row = nullptr;
        QLabel* text = nullptr;
        QProgressBar* bar = nullptr;
        QToolButton* cancel = nullptr;
    };
    void showEngine();
    void showMemory();

    EngineThread& m_engine;
    QLabel *m_device, *m_demonstration;
    QProgressBar* m_memoryBar;
    QLabel* m_memory;
    QTimer m_tick;
    QHash<QString, Job> m_jobs;
};

}  // namespace ui
