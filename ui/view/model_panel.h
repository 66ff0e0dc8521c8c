#pragma once

#include "ui/model/engine_thread.h"
#include "ui/model/settings.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;

namespace ui {

class MemoryBar;

/// Chooses a checkpoint folder, says what it holds before anything is loaded, loads and unloads.
/// Never modal.
class ModelPanel : public QDialog {
    Q_OBJECT
public:
    ModelPanel(EngineThread& engine, Settings& settings, QWidget* parent = nullptr);
    ~ModelPanel() override;

    /// Looks into a folder, off this thread.
    void setFolder(const QString& folder);
    QString folder() const;
    void loadChosen();

Q_SIGNALS:
    void inspected(bool ok);

private:
    void browse();
    void inspect();
    void showInfo(const inference::ModelInfo& info);
    void showMessage(const QString& text, const char* role);
    void showState();
    void fillRecent();

    EngineThread& m_engine;
    Settings& m_settings;
    QComboBox* m_folder;
    QLabel *m_name, *m_family, *m_size, *m_context, *m_hash;
    MemoryBar* m_memory;
    QComboBox *m_device, *m_dtype;
    QCheckBox* m_atStart;
    QProgressBar* m_progress;
    QLabel* m_message;
    QPushButton *m_load, *m_unload, *m_cancel;
    inference::ModelInfo m_info;
    bool m_known = false;
    int m_inspection = 0;  // the latest
};

}  // namespace ui
