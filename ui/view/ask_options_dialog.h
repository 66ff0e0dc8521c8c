#pragma once

#include "ui/model/conversation.h"

#include <QDialog>

namespace ui {

/// System message, sampling and limits of the next question; every change holds at once.
class AskOptionsDialog : public QDialog {
    Q_OBJECT
public:
    explicit AskOptionsDialog(const AskOptions& options, QWidget* parent = nullptr);

Q_SIGNALS:
    void changed(const ui::AskOptions& options);

private:
    AskOptions m_options;
};

}  // namespace ui
