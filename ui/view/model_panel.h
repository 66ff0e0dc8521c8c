#pragma once

#include "ui/model/engine_thread.h"
#include "ui/model/memory_table.h"
#include "ui/model/settings.h"

#include <QDialog>
#include <QTimer>

#include <optional>

#include <functional>

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
    ModelPanel(EngineThread& engine, Settings& settings, QWidget* parent = nullptr,
               MemoryPlanner planner = memoryPlanner());
    ~ModelPanel() override;

    /// Looks into a folder, off this thread.
    void setFolder(const QString& folder);
    QString folder() const;
    QString adapter() const;  // its folder; empty: none
    void loadChosen();

Q_SIGNALS:
    void inspected(bool ok);
    void planned();  // what the memory is needed for is shown

private:
    QLayout* makeAdapterRow();
    void browse();
    void chooseFolder(const QString& title, const QString& now, const QString& name,
                      const std::function<void(const QString&)>& take);
    void inspect();
    inference::LoadOptions asked() const;
    void plan();
    void showPlan();
    QString refusal() const;
    void showInfo(const inference::ModelInfo& info);
    void showMessage(const QString& text, const char* role);
    void showState();
    void fillRecent();

    EngineThread& m_engine;
    Settings& m_settings;
    MemoryPlanner m_planner;
    QComboBox* m_folder;
    QLineEdit* m_adapter;
    QLabel *m_name, *m_family, *m_size, *m_context, *m_hash, *m_demonstration;
    MemoryBar* m_memory;
    QComboBox *m_device, *m_dtype;
    QCheckBox* m_atStart;
    QProgressBar* m_progress;
    QLabel *m_plan, *m_otherPlans, *m_message;
    QPushButton *m_load, *m_unload, *m_cancel;
    inference::ModelInfo m_info;
    bool m_known = false;
    int m_inspection = 0, m_planning = 0;  // the latest
    std::optional<MemoryTable> m_table;
    QTimer m_planSoon;
};

}  // namespace ui
