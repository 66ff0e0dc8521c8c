#pragma once

#include "ui/model/conversation.h"

#include <QWidget>

#include <optional>

class QFrame;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QToolButton;

namespace ui {

class ChipRow;
class ContextGauge;

/// What a question costs and what there is room for, in tokens; estimated until the engine has
/// counted.
struct ContextUse {
    int used = 0;      // by the conversation so far
    int added = 0;     // by this question, pictures included
    int reserved = 0;  // for the answer
    int length = 0;    // of the model's context; 0: no model
};

/// Where a question is written. The picture on the screen goes with it unless the conversation has
/// it already or the user takes it off; further pictures can be held on to.
class Composer : public QWidget {
    Q_OBJECT
public:
    explicit Composer(QWidget* parent = nullptr);

    QString text() const;
    void setText(const QString& text);
    void focusText();

    /// The picture on the screen, and what it belongs to: taking it off holds until that changes.
    void setCurrent(const std::optional<AttachedFrame>& frame, const QString& document);
    /// Pictures that the conversation holds already.
    void setKnown(const QList<Attachment>& known);
    /// Pictures that will be sent.
    QList<AttachedFrame> frames() const;
    /// Also holds on to the current picture when another is shown.
    void keepCurrent();
    /// After a question was asked.
    void reset();

    void setBusy(bool busy);
    /// Why nothing can be asked; empty where it can. `load`: a model has to be loaded first.
    void setBlocked(const QString& reason, bool load);
    void setModel(int contextLength, int tileSize, int tokensPerTile);
    void setAskOptions(const AskOptions& options);
    void setUsedTokens(int tokens);
    void setLastQuestion(const QString& question) { m_lastQuestion = question; }
    const ContextUse& contextUse() const { return m_use; }
    /// What the engine counted for what is written and attached, the last `ownPictures` of its
    /// pictures being this question's. Stands until the next one; where it is refused, its sentence
    /// is shown and nothing is sent.
    void setCounted(const inference::ContextUse& use, int ownPictures);
    /// Nothing is known of what is written: no model, or it is answering.
    void clearCounted();
    QString ledger() const;

Q_SIGNALS:
    void askRequested();
    void stopRequested();
    void leaveRequested();  // Esc
    /// What is to be counted has changed.
    void pendingChanged();
    // What would make a refused question fit:
    void newTokensRequested(int most);
    void maxTilesRequested(int most);
    void newSessionRequested();
    void loadModelRequested();
    void pictureNeeded();  // a picture was pasted into the text
    void attachmentClicked(const ui::AttachedFrame& frame);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    bool isKnown(const AttachedFrame& frame) const;
    bool isCurrentSent() const;
    void showChips();
    void showSend();
    void fitText();
    void countTokens();
    void send();
    void showCounted();

    QFrame* m_field;
    ChipRow* m_chips;
    QPlainTextEdit* m_edit;
    QToolButton *m_keep, *m_send;
    ContextGauge* m_gauge;
    QWidget* m_blockedRow;
    QLabel* m_blockedText;
    QPushButton* m_load;
    QLabel* m_ledger;
    QWidget* m_refusedRow;
    QLabel* m_refusedText;
    QPushButton* m_mend;

    std::optional<AttachedFrame> m_current;
    QString m_document;
    bool m_currentOff = false;
    QList<AttachedFrame> m_kept;
    QList<Attachment> m_known;
    bool m_busy = false, m_blocked = false;
    std::optional<inference::ContextUse> m_counted;
    int m_ownPictures = 0;  // of m_counted
    bool m_stale = false;   // m_counted is of what was written before
    QString m_lastQuestion;
    ContextUse m_use;
    int m_tileSize = 448, m_tokensPerTile = 256;
    AskOptions m_options;
};

}  // namespace ui
