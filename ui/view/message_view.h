#pragma once

#include "ui/model/session.h"

#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

class QFrame;
class QLabel;
class QPushButton;
class QToolButton;

namespace ui {

class ChipRow;
class TextFlow;

/// A question and its answer: the question on raised ground at the right with its pictures, the
/// reasoning folded, the answer as it comes, and under it what can be done with it.
class MessageView : public QWidget {
    Q_OBJECT
public:
    explicit MessageView(const Turn& turn, QWidget* parent = nullptr);

    void growThinking(const QString& piece);
    void growAnswer(const QString& piece);
    /// The turn as it now is; texts that have only grown are not laid out again.
    void update(const Turn& turn);
    /// Only the last answer can be asked for again.
    void setLast(bool last);
    /// What is known of the engine that answered, one line of the details.
    void setVerification(const QString& line);

    const Turn& turn() const { return m_turn; }
    bool isThinkingOpen() const;
    QString statusText() const;
    const TextFlow* answerText() const { return m_answer; }

Q_SIGNALS:
    void attachmentClicked(int index);  // within the turn
    void boxHovered(int box);           // -1: none
    void boxClicked(int box);
    void copyRequested(const QString& text);
    void regenerateRequested();
    void reportRequested();
    void editRequested();  // the question again in the composer
    void fewerTilesRequested(int maxTiles);
    void newTokensRequested(int most);
    void loadModelRequested();

protected:
    void resizeEvent(QResizeEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    void build();
    void setThinkingOpen(bool open);
    void showState();
    void showThinkingTitle();
    void showActions();
    void layOutBubble();

    Turn m_turn;
    QString m_verification;
    bool m_last = true, m_hovered = false;
    bool m_thinkingChosen = false;  // opened or closed by hand: stays as it is
    QElapsedTimer m_running, m_thinkingTime;
    QTimer m_tick;
    double m_thinkingSeconds = 0;

    QFrame* m_bubble;
    TextFlow* m_question;
    ChipRow* m_pictures;
    QToolButton* m_thinkingTitle;
    QFrame* m_thinkingLine;
    QWidget* m_thinkingBody;
    TextFlow* m_thinking;
    TextFlow* m_answer;
    ChipRow* m_boxes;
    QLabel* m_demonstration;
    QWidget* m_stateRow;
    QLabel* m_state;
    QPushButton* m_mend;
    QPushButton* m_again;
    QWidget* m_actions;
    QToolButton *m_copy, *m_regenerate, *m_report, *m_edit;
    QLabel* m_numbers;
};

/// "12.3 tokens/s · first token 1.8 s · 214 tokens"
QString answerNumbers(const Provenance& provenance);

}  // namespace ui
