#pragma once

#include "ui/model/report.h"
#include "ui/model/settings.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace ui {

/// What a report of the conversation holds and where it goes. Never modal; what follows is the
/// window's.
class ReportDialog : public QDialog {
    Q_OBJECT
public:
    ReportDialog(const Session& session, Settings& settings, QWidget* parent = nullptr);

Q_SIGNALS:
    void saveRequested(const ui::Session& session, const ui::ReportOptions& options,
                       const QString& file);

private:
    void browse();
    void takeFormat();
    void check();
    void save();

    const Session m_session;
    Settings& m_settings;
    QLineEdit *m_title, *m_file;
    QCheckBox *m_thinking, *m_provenance;
    QComboBox* m_format;
    QLabel* m_note;
    QPushButton* m_save;
};

}  // namespace ui
