#pragma once

#include "ui/model/session_store.h"

#include <QTimer>
#include <QWidget>

class QLabel;
class QLineEdit;
class QListWidget;

namespace ui {

/// Stored conversations, latest first, searched as one types.
class SessionsPanel : public QWidget {
    Q_OBJECT
public:
    explicit SessionsPanel(SessionWriter& writer, QWidget* parent = nullptr);
    /// Asks the store again.
    void refresh();

Q_SIGNALS:
    void sessionChosen(qint64 id);
    void closeRequested();

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    void fill(const QList<SessionSummary>& sessions);
    void removeCurrent();

    SessionWriter& m_writer;
    QLineEdit* m_search;
    QListWidget* m_list;
    QLabel* m_empty;
    QTimer m_typing;
};

}  // namespace ui
