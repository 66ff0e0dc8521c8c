#include "ui/view/message_view.h"

#include "inference/engine.h"
#include "ui/view/chips.h"
#include "ui/view/icons.h"
#include "ui/view/text_flow.h"
#include "ui/view/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QRegularExpression>
#include <QStyle>
#include <QToolButton>

#include <algorithm>

namespace ui {

namespace {

QString seconds(double value)
{
    const QLocale locale;
    if (value < 10) {
        return QObject::tr("%1 s").arg(locale.toString(value, 'f', 1));
    }
    const int whole = qRound(value);
    return whole < 60 ? QObject::tr("%1 s").arg(whole)
                      : QObject::tr("%1 min %2 s").arg(whole / 60).arg(whole % 60);
}

void setRole(QWidget* widget, const char* role)
{
    if (widget->property("kvlRole") != QLatin1String(role)) {
        widget->setProperty("kvlRole", role);
        widget->style()->unpolish(widget);
        widget->style()->polish(widget);
    }
}

void grow(TextFlow* flow, const QString& whole)
{
    if (whole == flow->source().trimmed()) {
        return;  // the end of an answer only loses the blanks around it
    }
    if (whole.startsWith(flow->source())) {
        flow->grow(whole.mid(flow->source().size()));
    } else {
        flow->setSource(whole);
    }
}

}  // namespace

QString answerNumbers(const Provenance& p)
{
    const QLocale locale;
    QStringList parts;
    const qsizetype count = p.newIds.size();
    if (count > 1 && p.decodeSeconds > 0) {
        parts << QObject::tr("%1 tokens/s")
                     .arg(locale.toString(double(count - 1) / p.decodeSeconds, 'f', 1));
    }
    if (p.firstTokenSeconds > 0) {
        parts << QObject::tr("first token %1").arg(seconds(p.firstTokenSeconds));
    }
    if (count > 0) {
        parts << QObject::tr("%1 tokens").arg(locale.toString(count));
    }
    return parts.join(QStringLiteral(" · "));
}

MessageView::MessageView(const Turn& turn, QWidget* parent)
    : QWidget(parent)
    , m_turn(turn)
{
    build();
    m_question->setSource(turn.question);
    m_question->setVisible(!turn.question.isEmpty());
    for (int i = 0; i < turn.attachments.size(); ++i) {
        const Attachment& a = turn.attachments[i];
        auto* chip = new PictureChip(a.thumbnail, a.title, attachmentDetails(a), false);
        connect(chip, &PictureChip::clicked, this, [this, i] { Q_EMIT attachmentClicked(i); });
        m_pictures->add(chip);
    }
    m_pictures->setVisible(!turn.attachments.isEmpty());
    m_running.start();
    m_tick.setInterval(250);
    connect(&m_tick, &QTimer::timeout, this, [this] { showState(); });
    update(turn);
}

void MessageView::build()
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 8, 16, 8);
    column->setSpacing(8);

    m_bubble = new QFrame;
    m_bubble->setObjectName("questionBubble");
    m_bubble->setProperty("kvlRole", "raised");
    auto* inBubble = new QVBoxLayout(m_bubble);
    inBubble->setContentsMargins(12, 8, 12, 8);
    inBubble->setSpacing(8);
    m_pictures = new ChipRow;
    m_question = new TextFlow(TextFlow::Kind::Plain);
    m_question->setObjectName("questionText");
    inBubble->addWidget(m_pictures);
    inBubble->addWidget(m_question);
    auto* bubbleRow = new QHBoxLayout;
    bubbleRow->addStretch(1);
    bubbleRow->addWidget(m_bubble);
    column->addLayout(bubbleRow);

    m_thinkingTitle = new QToolButton;
    m_thinkingTitle->setObjectName("thinkingTitle");
    m_thinkingTitle->setToolButtonStyle(Qt::ToolButtonTextOnly);
    m_thinkingTitle->setProperty("kvlRole", "secondary");
    m_thinkingTitle->setStyleSheet(
        QStringLiteral("QToolButton { padding: 2px 4px 2px 0; border-color: transparent; "
                       "background: transparent; }"));
    connect(m_thinkingTitle, &QToolButton::clicked, this, [this] {
        m_thinkingChosen = true;
        setThinkingOpen(!isThinkingOpen());
    });
    column->addWidget(m_thinkingTitle, 0, Qt::AlignLeft);
    m_thinkingBody = new QWidget;
    auto* thinkingRow = new QHBoxLayout(m_thinkingBody);
    thinkingRow->setContentsMargins(4, 0, 0, 0);
    thinkingRow->setSpacing(12);
    m_thinkingLine = new QFrame;
    m_thinkingLine->setProperty("kvlRole", "line");
    m_thinkingLine->setFixedWidth(1);
    m_thinking = new TextFlow(TextFlow::Kind::Marked, TextFlow::Tone::Secondary);
    m_thinking->setObjectName("thinkingText");
    thinkingRow->addWidget(m_thinkingLine);
    thinkingRow->addWidget(m_thinking, 1);
    column->addWidget(m_thinkingBody);

    m_answer = new TextFlow(TextFlow::Kind::Marked);
    m_answer->setObjectName("answerText");
    connect(m_answer, &TextFlow::boxHovered, this, [this](int box) {
        if (box < m_turn.boxes.size()) {
            Q_EMIT boxHovered(box);
        }
    });
    connect(m_answer, &TextFlow::boxClicked, this, [this](int box) {
        if (box < m_turn.boxes.size() && m_answer->boxMarks() == m_turn.boxes.size()) {
            Q_EMIT boxClicked(box);
        }
    });
    column->addWidget(m_answer);

    m_boxes = new ChipRow;
    m_boxes->setObjectName("boxChips");
    column->addWidget(m_boxes);

    m_demonstration = new QLabel(tr(inference::demonstrationMark));
    m_demonstration->setObjectName("demonstrationMark");
    m_demonstration->setProperty("kvlRole", "warning");
    column->addWidget(m_demonstration);

    m_stateRow = new QWidget;
    auto* stateColumn = new QVBoxLayout(m_stateRow);
    stateColumn->setContentsMargins(0, 0, 0, 0);
    stateColumn->setSpacing(8);
    m_state = new QLabel;
    m_state->setObjectName("turnState");
    m_state->setTextFormat(Qt::PlainText);
    m_state->setWordWrap(true);
    m_state->setTextInteractionFlags(Qt::TextSelectableByMouse);
    stateColumn->addWidget(m_state);
    auto* mends = new QHBoxLayout;
    m_mend = new QPushButton;
    m_mend->setObjectName("mendButton");
    m_again = new QPushButton(tr("Ask again"));
    m_again->setObjectName("askAgainButton");
    connect(m_again, &QPushButton::clicked, this, &MessageView::regenerateRequested);
    mends->addWidget(m_mend);
    mends->addWidget(m_again);
    mends->addStretch(1);
    stateColumn->addLayout(mends);
    column->addWidget(m_stateRow);

    m_actions = new QWidget;
    m_actions->setObjectName("answerActions");
    auto* actions = new QHBoxLayout(m_actions);
    actions->setContentsMargins(0, 0, 0, 0);
    actions->setSpacing(0);
    const auto tool = [&](const char* name, const QString& iconName, const QString& tip) {
        auto* button = new QToolButton;
        button->setObjectName(name);
        button->setIcon(icon(iconName));
        button->setIconSize({16, 16});
        button->setToolTip(tip);
        button->setAccessibleName(tip);
        actions->addWidget(button);
        return button;
    };
    m_copy = tool("copyAnswer", "edit-copy", tr("Copy the answer"));
    m_regenerate = tool("regenerateAnswer", "view-refresh", tr("Ask again (Ctrl+R)"));
    m_edit = tool("editQuestion", "document-edit", tr("Edit the question"));
    m_report =
        tool("reportAnswer", "document-export", tr("Save the conversation as a report (Ctrl+S)"));
    connect(m_copy, &QToolButton::clicked, this, [this] { Q_EMIT copyRequested(m_turn.answer); });
    connect(m_regenerate, &QToolButton::clicked, this, &MessageView::regenerateRequested);
    connect(m_edit, &QToolButton::clicked, this, &MessageView::editRequested);
    connect(m_report, &QToolButton::clicked, this, &MessageView::reportRequested);
    actions->addStretch(1);
    m_numbers = new QLabel;
    m_numbers->setObjectName("answerNumbers");
    m_numbers->setProperty("kvlRole", "secondary");
    QFont small = m_numbers->font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    m_numbers->setFont(small);
    actions->addWidget(m_numbers);
    for (QToolButton* button : {m_copy, m_report}) {
        QSizePolicy policy = button->sizePolicy();
        policy.setRetainSizeWhenHidden(true);
        button->setSizePolicy(policy);
    }
    column->addWidget(m_actions);
}

void MessageView::growThinking(const QString& piece)
{
    if (!m_thinkingTime.isValid()) {
        m_thinkingTime.start();
    }
    m_turn.thinking += piece;
    if (m_thinking->source().isEmpty() && !m_thinkingChosen) {
        setThinkingOpen(true);
    }
    m_thinking->grow(piece);
    showThinkingTitle();
}

void MessageView::growAnswer(const QString& piece)
{
    if (m_turn.answer.isEmpty() && !m_turn.thinking.isEmpty()) {
        m_thinkingSeconds = m_thinkingTime.isValid() ? double(m_thinkingTime.elapsed()) / 1000 : 0;
        if (!m_thinkingChosen) {
            setThinkingOpen(false);
        }
    }
    const bool first = m_turn.answer.isEmpty();
    m_turn.answer += piece;
    m_answer->grow(piece);
    if (first) {
        m_answer->setVisible(true);
        showThinkingTitle();
        showState();
    }
}

void MessageView::update(const Turn& turn)
{
    m_turn = turn;
    if (turn.thinkingSeconds > 0) {
        m_thinkingSeconds = turn.thinkingSeconds;
    }
    grow(m_thinking, turn.thinking);
    grow(m_answer, turn.answer);
    m_answer->setVisible(!turn.answer.isEmpty());
    if (!m_thinkingChosen) {
        setThinkingOpen(turn.state == TurnState::Running && turn.answer.isEmpty() &&
                        !turn.thinking.isEmpty());
    }
    m_boxes->clear();
    for (int i = 0; i < turn.boxes.size(); ++i) {
        auto* chip = new BoxChip(i, turn.boxes[i]);
        connect(chip, &BoxChip::clicked, this, [this, i] { Q_EMIT boxClicked(i); });
        connect(chip, &BoxChip::hovered, this,
                [this, i](bool on) { Q_EMIT boxHovered(on ? i : -1); });
        m_boxes->add(chip);
    }
    m_boxes->setVisible(!turn.boxes.isEmpty());
    m_demonstration->setVisible(turn.provenance.demonstration && turn.state != TurnState::Failed);
    if (turn.state == TurnState::Running) {
        m_tick.start();
    } else {
        m_tick.stop();
    }
    showThinkingTitle();
    showState();
    showActions();
    layOutBubble();
}

void MessageView::setLast(bool last)
{
    m_last = last;
    showActions();
    showState();
}

void MessageView::setVerification(const QString& line)
{
    m_verification = line;
    showActions();
}

bool MessageView::isThinkingOpen() const
{
    return !m_thinkingBody->isHidden();
}

void MessageView::setThinkingOpen(bool open)
{
    m_thinkingBody->setVisible(open);
    showThinkingTitle();
}

void MessageView::showThinkingTitle()
{
    m_thinkingTitle->setVisible(!m_turn.thinking.isEmpty());
    if (m_turn.thinking.isEmpty()) {
        m_thinkingBody->setVisible(false);
        return;
    }
    const QString arrow = isThinkingOpen() ? QStringLiteral("▾") : QStringLiteral("▸");
    const bool now = m_turn.state == TurnState::Running && m_turn.answer.isEmpty();
    const QString text = now    ? tr("Thinking…")
        : m_thinkingSeconds > 0 ? tr("Thought for %1").arg(seconds(m_thinkingSeconds))
                                : tr("Thought");
    m_thinkingTitle->setText(text + QLatin1Char(' ') + arrow);
    m_thinkingTitle->setToolTip(isThinkingOpen() ? tr("Fold the reasoning")
                                                 : tr("Show the reasoning"));
}

QString MessageView::statusText() const
{
    return m_state->isHidden() ? QString() : m_state->text();
}

void MessageView::showState()
{
    QString text, mend;
    const char* role = "secondary";
    switch (m_turn.state) {
    case TurnState::Running:
        if (m_turn.answer.isEmpty()) {
            const QString time = seconds(double(m_running.elapsed()) / 1000);
            text = !m_turn.thinking.isEmpty()  ? QString()
                : m_turn.attachments.isEmpty() ? tr("Reading the question… %1").arg(time)
                : m_turn.attachments.size() == 1
                ? tr("Reading the picture… %1").arg(time)
                : tr("Reading %1 pictures… %2").arg(m_turn.attachments.size()).arg(time);
        }
        break;
    case TurnState::Done:
        if (m_turn.answer.isEmpty()) {
            text = tr("The model ended its answer without a word.");
        }
        break;
    case TurnState::Stopped:
        text = tr("Stopped.");
        break;
    case TurnState::TokenLimit:
        role = "warning";
        text = tr("Stopped at %1 tokens, the limit for an answer; more can be allowed under "
                  "Question › System message and sampling.")
                   .arg(QLocale().toString(m_turn.provenance.maxNewTokens));
        break;
    case TurnState::Failed: {
        role = "error";
        text = m_turn.error.isEmpty()
            ? tr("The answer failed for an unknown reason; the log may say more.")
            : m_turn.error;
        disconnect(m_mend, nullptr, this, nullptr);
        const bool tooMuch = text.contains(QLatin1String("memory"), Qt::CaseInsensitive) ||
            text.contains(QLatin1String("fewer tiles"), Qt::CaseInsensitive);
        // The engine may have counted what fits.
        static const QRegularExpression counted(
            QStringLiteral(R"(at most (\d+) tiles? a picture)"));
        static const QRegularExpression countedTokens(
            QStringLiteral(R"(at most (\d+) new tokens? fit)"));
        const auto fits = counted.match(text);
        const int fewer = fits.hasMatch()    ? fits.captured(1).toInt()
            : m_turn.provenance.maxTiles > 6 ? 6
                                             : 1;
        if ((tooMuch || fits.hasMatch()) && m_turn.provenance.maxTiles > 1 &&
            !m_turn.attachments.isEmpty()) {
            mend = fewer == 1 ? tr("Use 1 tile") : tr("Use %1 tiles").arg(fewer);
            connect(m_mend, &QPushButton::clicked, this,
                    [this, fewer] { Q_EMIT fewerTilesRequested(fewer); });
        } else if (const auto room = countedTokens.match(text); room.hasMatch()) {
            const int most = room.captured(1).toInt();
            mend = tr("Allow %1 new tokens").arg(QLocale().toString(most));
            connect(m_mend, &QPushButton::clicked, this,
                    [this, most] { Q_EMIT newTokensRequested(most); });
        } else if (text.contains(QLatin1String("no model"), Qt::CaseInsensitive)) {
            mend = tr("Load a model…");
            connect(m_mend, &QPushButton::clicked, this, &MessageView::loadModelRequested);
        }
        break;
    }
    }
    const bool failed = m_turn.state == TurnState::Failed;
    m_state->setText(text);
    m_state->setVisible(!text.isEmpty());
    setRole(m_state, role);
    m_mend->setText(mend);
    m_mend->setVisible(!mend.isEmpty() && m_last);
    m_again->setVisible(failed && m_last);
    m_stateRow->setVisible(!text.isEmpty());
}

void MessageView::showActions()
{
    const bool running = m_turn.state == TurnState::Running;
    m_actions->setVisible(!running && m_turn.state != TurnState::Failed);
    // Quiet until hovered, except under the answer one has just read.
    m_copy->setVisible((m_hovered || m_last) && !m_turn.answer.isEmpty());
    m_report->setVisible(m_hovered || m_last);
    m_regenerate->setVisible(m_last);
    m_edit->setVisible(m_last);
    m_numbers->setText(answerNumbers(m_turn.provenance));
    const Provenance& p = m_turn.provenance;
    QString details = tr("%1 · %2 · %3\n%4 prompt tokens, %5 of them kept from before\nmodel %6")
                          .arg(p.modelName, p.device, p.dtype)
                          .arg(p.promptIds.size())
                          .arg(p.cachedTokens)
                          .arg(p.modelHash.left(16));
    if (!p.adapterHash.isEmpty()) {
        details += tr(", adapter %1").arg(p.adapterHash.left(16));
    }
    if (!m_verification.isEmpty()) {
        details += QLatin1Char('\n') + m_verification;
    }
    m_numbers->setToolTip(details);
}

void MessageView::enterEvent(QEnterEvent* event)
{
    QWidget::enterEvent(event);
    m_hovered = true;
    showActions();
}

void MessageView::leaveEvent(QEvent* event)
{
    QWidget::leaveEvent(event);
    m_hovered = false;
    showActions();
}

void MessageView::layOutBubble()
{
    // At most 88 % of the row, no wider than its text and its pictures.
    const int most = std::max(80, int((width() - 32) * 0.88)) - 26;
    const int chips = m_pictures->isHidden() ? 0 : m_pictures->naturalWidth();
    const int inner = std::clamp(std::max(m_question->naturalWidth(), chips), 40, most);
    m_question->setFixedWidth(inner);
    m_pictures->setFixedWidth(inner);
}

void MessageView::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    layOutBubble();
}

}  // namespace ui
