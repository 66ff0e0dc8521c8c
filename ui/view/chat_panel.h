#pragma once

#include "ui/model/conversation.h"
#include "ui/model/session_store.h"
#include "ui/model/verification.h"

#include <QList>
#include <QTimer>
#include <QWidget>

#include <optional>

class QLabel;
class QLineEdit;
class QScrollArea;
class QStackedWidget;
class QToolButton;
class QVBoxLayout;

namespace ui {

class Composer;
class MessageView;
class SessionsPanel;

/// The open conversation, the list of stored ones and the composer. Shows what Conversation says
/// and keeps no state of its own.
class ChatPanel : public QWidget {
    Q_OBJECT
public:
    ChatPanel(Conversation& conversation, EngineThread& engine, SessionWriter& writer,
              QWidget* parent = nullptr);

    Composer* composer() const { return m_composer; }
    const QList<MessageView*>& messages() const { return m_messages; }
    /// The picture on the screen; `document` names what it belongs to.
    void setCurrent(const std::optional<AttachedFrame>& frame, const QString& document);
    /// What the empty panel offers to ask; none: questions that any picture can be asked.
    void setSuggestions(const QStringList& questions);
    /// Asks what is written; `region` with a stand-in question where nothing is.
    void ask();
    void askAboutRegion();
    void regenerate();
    void showSessions(bool shown);
    /// What is known of the engines that may have answered.
    void setVerifications(const QList<Verification>& all);
    bool isAtBottom() const;

    QSize sizeHint() const override { return {420, 600}; }
    QSize minimumSizeHint() const override { return {340, 240}; }

Q_SIGNALS:
    void attachmentActivated(const ui::FrameRef& frame, const ui::FrameOptions& options,
                             const QRect& region);
    /// `flash`: a click; else the mouse is over it. `box` -1: none any more.
    void boxActivated(int row, int box, bool flash);
    void optionsChanged(const ui::AskOptions& options);  // by a button that mends an error
    void suggestionChosen(int index);                    // it is in the composer now
    void reportRequested();
    void loadModelRequested();
    void leaveRequested();
    void openRequested();

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    QWidget* makeHeader();
    QWidget* makeEmpty();
    void rebuild();
    void addMessage(int row);
    void removeMessage(int row);
    void showHeader();
    void showEngine();
    void showKnown();
    void markLast();
    void showVerification(MessageView* view);
    void count();
    void takeOptions(const AskOptions& options);
    void editLast();
    MessageView* message(int row) const
    {
        return row >= 0 && row < m_messages.size() ? m_messages[row] : nullptr;
    }

    Conversation& m_conversation;
    EngineThread& m_engine;
    QStackedWidget* m_pages;
    QLineEdit* m_title;
    QToolButton* m_sessionsButton;
    QScrollArea* m_scroll;
    QWidget* m_column;
    QVBoxLayout* m_layout;
    QWidget* m_empty;
    QVBoxLayout* m_suggestions;
    QStringList m_suggested;
    QLabel *m_emptyText, *m_notice;
    SessionsPanel* m_sessions;
    Composer* m_composer;
    QList<MessageView*> m_messages;
    QList<Verification> m_verifications;
    QTimer m_countSoon;
    quint64 m_count = 0;  // the latest that was asked for
    int m_countedPictures = 0;
    bool m_follow = true;
    bool m_arranging = false;
};

}  // namespace ui
