#pragma once

#include "ui/model/engine_thread.h"
#include "ui/model/settings.h"

#include <QDialog>

class QLabel;
class QProgressBar;
class QPushButton;
class QTreeWidget;

namespace ui {

/// Holds the loaded engine against its references and shows each check as it ends. The work is the
/// engine thread's; closing stops it. Never modal.
class VerifyDialog : public QDialog {
    Q_OBJECT
public:
    VerifyDialog(EngineThread& engine, const Settings& settings, QWidget* parent = nullptr);

    void done(int result) override;  // by Close, Esc and the window's ✕ alike

protected:
    void changeEvent(QEvent* event) override;

private:
    void start();
    void showEngine();
    void showLast();
    void addCheck(const inference::VerifyCheck& check);
    void showResult(const QString& text, const char* role);
    void colourChecks();

    EngineThread& m_engine;
    const Settings& m_settings;
    QLabel *m_model, *m_now, *m_result;
    QTreeWidget* m_checks;
    QProgressBar* m_progress;
    QPushButton *m_copy, *m_stop, *m_start;
    QString m_line;  // to be copied
};

}  // namespace ui
