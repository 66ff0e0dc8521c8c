#include "ui/view/chat_panel.h"

#include "ui/view/composer.h"
#include "ui/view/icons.h"
#include "ui/view/message_view.h"
#include "ui/view/sessions_panel.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QStackedWidget>
#include <QToolButton>

namespace ui {

ChatPanel::ChatPanel(Conversation& conversation, EngineThread& engine, SessionWriter& writer,
                     QWidget* parent)
    : QWidget(parent)
    , m_conversation(conversation)
    , m_engine(engine)
{
    setObjectName("chatPanel");
    setProperty("kvlRole", "pane");
    setAttribute(Qt::WA_StyledBackground);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeHeader());

    m_pages = new QStackedWidget;
    m_scroll = new QScrollArea;
    m_scroll->setObjectName("messages");
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setWidgetResizable(true);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_scroll->setVerticalScrollBarPolicy(
        Qt::ScrollBarAlwaysOn);  // a bar that comes and goes would lay all out again
    m_column = new QWidget;
    m_column->setProperty("kvlRole", "pane");
    m_layout = new QVBoxLayout(m_column);
    m_layout->setContentsMargins(0, 8, 0, 8);
    m_layout->setSpacing(8);
    m_empty = makeEmpty();
    m_layout->addWidget(m_empty, 1);
    m_layout->addStretch(0);
    m_scroll->setWidget(m_column);
    m_pages->addWidget(m_scroll);
    m_sessions = new SessionsPanel(writer);
    m_pages->addWidget(m_sessions);
    column->addWidget(m_pages, 1);

    auto* line = new QFrame;
    line->setProperty("kvlRole", "line");
    line->setFixedHeight(1);
    column->addWidget(line);
    m_composer = new Composer;
    column->addWidget(m_composer);
    m_notice = new QLabel;
    m_notice->setObjectName("notForClinicalUse");
    m_notice->setAlignment(Qt::AlignCenter);
    m_notice->setWordWrap(true);
    m_notice->setProperty("kvlRole", "secondary");
    QFont small = m_notice->font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    m_notice->setFont(small);
    m_notice->setContentsMargins(12, 0, 12, 6);
    column->addWidget(m_notice);

    connect(m_scroll->verticalScrollBar(), &QScrollBar::rangeChanged, this,
            [this](int, int maximum) {
                m_scroll->verticalScrollBar()->setEnabled(maximum > 0);  // shows nothing then
                if (m_follow) {
                    m_arranging = true;
                    m_scroll->verticalScrollBar()->setValue(maximum);
                    m_arranging = false;
                }
            });
    connect(m_scroll->verticalScrollBar(), &QScrollBar::valueChanged, this, [this] {
        if (!m_arranging) {
            m_follow = isAtBottom();
        }
    });

    connect(&m_conversation, &Conversation::sessionChanged, this, [this] {
        if (m_messages.size() != m_conversation.session().turns.size() ||
            (!m_messages.isEmpty() &&
             m_messages.first()->turn().asked != m_conversation.session().turns.first().asked)) {
            rebuild();
        }
        showHeader();
    });
    connect(&m_conversation, &Conversation::turnAdded, this, &ChatPanel::addMessage);
    connect(&m_conversation, &Conversation::turnRemoved, this, &ChatPanel::removeMessage);
    connect(&m_conversation, &Conversation::thinkingGrew, this,
            [this](int row, const QString& piece) {
                if (MessageView* view = message(row)) {
                    view->growThinking(piece);
                }
            });
    connect(&m_conversation, &Conversation::answerGrew, this,
            [this](int row, const QString& piece) {
                if (MessageView* view = message(row)) {
                    view->growAnswer(piece);
                }
            });
    connect(&m_conversation, &Conversation::turnChanged, this, [this](int row) {
        if (MessageView* view = message(row)) {
            view->update(m_conversation.session().turns[row]);
            showVerification(view);
            showKnown();
        }
    });
    connect(&m_conversation, &Conversation::busyChanged, m_composer, &Composer::setBusy);
    connect(&m_engine, &EngineThread::stateChanged, this, &ChatPanel::showEngine);
    connect(&m_engine, &EngineThread::loadProgress, this, [this](qint64 done, qint64 total) {
        if (m_engine.state() == EngineThread::State::Loading && total > 0) {
            m_composer->setBlocked(tr("The model is being loaded: %1 %.").arg(done * 100 / total),
                                   false);
        }
    });

    m_countSoon.setSingleShot(true);
    m_countSoon.setInterval(120);  // a word that is typed is counted once
    connect(&m_countSoon, &QTimer::timeout, this, &ChatPanel::count);
    connect(m_composer, &Composer::pendingChanged, &m_countSoon, qOverload<>(&QTimer::start));
    connect(&m_engine, &EngineThread::counted, this,
            [this](quint64 id, const inference::ContextUse& use) {
                if (id == m_count && !m_conversation.isBusy()) {
                    m_composer->setCounted(use, m_countedPictures);
                }
            });
    connect(&m_engine, &EngineThread::countFailed, this, [this](quint64 id, const QString&) {
        if (id == m_count) {
            m_composer->clearCounted();  // what can't be counted says why when it is asked
        }
    });
    connect(m_composer, &Composer::newTokensRequested, this, [this](int most) {
        AskOptions options = m_conversation.options();
        options.maxNewTokens = most;
        takeOptions(options);
    });
    connect(m_composer, &Composer::maxTilesRequested, this, [this](int most) {
        AskOptions options = m_conversation.options();
        options.maxTiles = most;
        takeOptions(options);
    });
    connect(m_composer, &Composer::newSessionRequested, &m_conversation, &Conversation::startNew);
    connect(m_composer, &Composer::askRequested, this, &ChatPanel::ask);
    connect(m_composer, &Composer::stopRequested, &m_conversation, &Conversation::stop);
    connect(m_composer, &Composer::leaveRequested, this, &ChatPanel::leaveRequested);
    connect(m_composer, &Composer::loadModelRequested, this, &ChatPanel::loadModelRequested);
    connect(m_composer, &Composer::attachmentClicked, this, [this](const AttachedFrame& a) {
        Q_EMIT attachmentActivated(a.frame.ref, a.options, a.region);
    });
    connect(m_sessions, &SessionsPanel::closeRequested, this, [this] { showSessions(false); });
    connect(m_sessions, &SessionsPanel::sessionChosen, this, [this, &writer](qint64 id) {
        writer.load(id);
        showSessions(false);
    });
    connect(&writer, &SessionWriter::loaded, this,
            [this](const Session& session) { m_conversation.show(session); });

    m_composer->setAskOptions(m_conversation.options());
    rebuild();
    showHeader();
    showEngine();
}

QWidget* ChatPanel::makeHeader()
{
    auto* header = new QWidget;
    auto* row = new QHBoxLayout(header);
    row->setContentsMargins(12, 4, 8, 4);
    row->setSpacing(4);
    m_title = new QLineEdit;
    m_title->setObjectName("sessionTitle");
    m_title->setAccessibleName(tr("Session title"));
    m_title->setFrame(false);
    m_title->setAcceptDrops(false);  // files go to the window
    m_title->setStyleSheet(
        "QLineEdit:!focus { border-color: transparent; background: transparent; }");
    m_title->setToolTip(tr("Click to rename the session"));
    connect(m_title, &QLineEdit::editingFinished, this, [this] {
        const QString title = m_title->text().trimmed();
        if (m_title->isModified() && !title.isEmpty() && title != m_conversation.session().title) {
            m_conversation.rename(title);
        }
        m_title->setModified(false);
    });
    row->addWidget(m_title, 1);
    const auto button = [&](const char* name, const QString& iconName, const QString& tip) {
        auto* made = new QToolButton;
        made->setObjectName(name);
        made->setIcon(icon(iconName));
        made->setIconSize({22, 22});
        made->setToolTip(tip);
        made->setAccessibleName(tip);
        row->addWidget(made);
        return made;
    };
    m_sessionsButton =
        button("sessionsButton", "document-open-recent", tr("Stored sessions (Ctrl+Shift+S)"));
    m_sessionsButton->setCheckable(true);
    connect(m_sessionsButton, &QToolButton::clicked, this, &ChatPanel::showSessions);
    auto* fresh = button("newSession", "document-new", tr("New session (Ctrl+N)"));
    connect(fresh, &QToolButton::clicked, this, [this] {
        m_conversation.startNew();
        showSessions(false);
    });
    return header;
}

QWidget* ChatPanel::makeEmpty()
{
    auto* empty = new QWidget;
    empty->setObjectName("emptyChat");
    auto* column = new QVBoxLayout(empty);
    column->setContentsMargins(24, 24, 24, 24);
    column->setSpacing(8);
    column->addStretch(1);
    m_emptyText = new QLabel;
    m_emptyText->setWordWrap(true);
    m_emptyText->setAlignment(Qt::AlignCenter);
    m_emptyText->setProperty("kvlRole", "secondary");
    column->addWidget(m_emptyText);
    column->addSpacing(8);
    m_suggestions = new QVBoxLayout;
    m_suggestions->setSpacing(8);
    column->addLayout(m_suggestions);
    column->addStretch(1);
    setSuggestions({});
    return empty;
}

void ChatPanel::setSuggestions(const QStringList& questions)
{
    const QStringList wanted = questions.isEmpty()
        ? QStringList{tr("Describe this image."), tr("What is abnormal here, and where?"),
                      tr("Which modality, plane and region is this?")}
        : questions;
    if (wanted == m_suggested) {
        return;
    }
    m_suggested = wanted;
    while (const std::unique_ptr<QLayoutItem> item{m_suggestions->takeAt(0)}) {
        item->widget()->hide();
        item->widget()->deleteLater();
    }
    for (int i = 0; i < wanted.size(); ++i) {
        auto* suggestion = new QPushButton(wanted[i]);
        suggestion->setProperty("suggestion", true);
        suggestion->setToolTip(tr("Put this question into the composer"));
        connect(suggestion, &QPushButton::clicked, this, [this, i, question = wanted[i]] {
            m_composer->setText(question);
            m_composer->focusText();
            Q_EMIT suggestionChosen(i);
        });
        m_suggestions->addWidget(suggestion, 0, Qt::AlignHCenter);
    }
}

void ChatPanel::setCurrent(const std::optional<AttachedFrame>& frame, const QString& document)
{
    m_composer->setCurrent(frame, document);
    m_emptyText->setText(
        frame
            ? tr("Ask about the picture in your own words, or begin with one of these.")
            : tr("Open a picture and ask about it in your own words, or begin with one of these."));
}

void ChatPanel::ask()
{
    const QString question = m_composer->text().trimmed();
    if (question.isEmpty() || m_conversation.isBusy() ||
        m_engine.state() != EngineThread::State::Ready) {
        m_composer->focusText();
        return;
    }
    const QList<AttachedFrame> frames = m_composer->frames();
    m_follow = true;
    // Until the engine has counted, the estimate stands.
    const int expected = m_composer->contextUse().used + m_composer->contextUse().added;
    m_composer->reset();
    m_conversation.ask(question, frames);
    m_composer->setUsedTokens(expected);
}

void ChatPanel::askAboutRegion()
{
    if (m_composer->text().trimmed().isEmpty()) {
        m_composer->setText(tr("What is in this region?"));
    }
    ask();
}

void ChatPanel::regenerate()
{
    if (!m_messages.isEmpty() && m_engine.state() == EngineThread::State::Ready) {
        m_follow = true;
        m_conversation.regenerate();
    }
}

void ChatPanel::showSessions(bool shown)
{
    m_sessionsButton->setChecked(shown);
    m_pages->setCurrentWidget(shown ? static_cast<QWidget*>(m_sessions) : m_scroll);
    if (shown) {
        m_sessions->refresh();
        m_sessions->setFocus();
    }
}

void ChatPanel::setVerifications(const QList<Verification>& all)
{
    m_verifications = all;
    for (MessageView* view : m_messages) {
        showVerification(view);
    }
}

void ChatPanel::showVerification(MessageView* view)
{
    view->setVerification(verificationLine(m_verifications, view->turn().provenance));
}

bool ChatPanel::isAtBottom() const
{
    const QScrollBar* bar = m_scroll->verticalScrollBar();
    return bar->value() >= bar->maximum() - 8;
}

void ChatPanel::rebuild()
{
    m_column->setUpdatesEnabled(false);
    qDeleteAll(m_messages);
    m_messages.clear();
    m_follow = true;
    for (int row = 0; row < m_conversation.session().turns.size(); ++row) {
        addMessage(row);
    }
    markLast();
    showKnown();
    m_column->setUpdatesEnabled(true);
}

void ChatPanel::addMessage(int row)
{
    const auto& turns = m_conversation.session().turns;
    if (row < 0 || row >= turns.size()) {
        return;
    }
    auto* view = new MessageView(turns[row]);
    m_messages.insert(row, view);
    showVerification(view);
    m_layout->insertWidget(row + 1, view);  // after the empty state
    const auto rowOf = [this, view] { return int(m_messages.indexOf(view)); };
    connect(view, &MessageView::attachmentClicked, this, [this, view](int index) {
        const Attachment& a = view->turn().attachments[index];
        Q_EMIT attachmentActivated(a.frame, a.options, a.region);
    });
    connect(view, &MessageView::boxHovered, this,
            [this, rowOf](int box) { Q_EMIT boxActivated(rowOf(), box, false); });
    connect(view, &MessageView::boxClicked, this,
            [this, rowOf](int box) { Q_EMIT boxActivated(rowOf(), box, true); });
    connect(view, &MessageView::copyRequested, this,
            [](const QString& text) { QGuiApplication::clipboard()->setText(text); });
    connect(view, &MessageView::regenerateRequested, this, &ChatPanel::regenerate);
    connect(view, &MessageView::reportRequested, this, &ChatPanel::reportRequested);
    connect(view, &MessageView::editRequested, this, &ChatPanel::editLast);
    connect(view, &MessageView::loadModelRequested, this, &ChatPanel::loadModelRequested);
    connect(view, &MessageView::fewerTilesRequested, this, [this](int tiles) {
        AskOptions options = m_conversation.options();
        options.maxTiles = tiles;
        takeOptions(options);
        regenerate();
    });
    connect(view, &MessageView::newTokensRequested, this, [this](int most) {
        AskOptions options = m_conversation.options();
        options.maxNewTokens = most;
        takeOptions(options);
        regenerate();
    });
    markLast();
    showKnown();
}

void ChatPanel::removeMessage(int row)
{
    if (MessageView* view = message(row)) {
        m_messages.removeAt(row);
        m_layout->removeWidget(view);
        view->hide();
        view->deleteLater();
        markLast();
        showKnown();
    }
}

void ChatPanel::takeOptions(const AskOptions& options)
{
    m_conversation.setOptions(options);
    m_composer->setAskOptions(options);
    Q_EMIT optionsChanged(options);
}

/// Asks the engine what the question as it stands would cost.
void ChatPanel::count()
{
    if (m_engine.state() != EngineThread::State::Ready || m_conversation.isBusy()) {
        return;
    }
    const inference::Request request =
        m_conversation.pending(m_composer->text(), m_composer->frames());
    m_countedPictures = int(request.messages.back().images.size());
    m_count = m_engine.count(request);
}

void ChatPanel::markLast()
{
    for (MessageView* view : m_messages) {
        view->setLast(view == m_messages.last());
    }
    m_empty->setVisible(m_messages.isEmpty());
    const auto& turns = m_conversation.session().turns;
    m_composer->setLastQuestion(turns.isEmpty() ? QString() : turns.last().question);
}

void ChatPanel::showKnown()
{
    m_composer->setKnown(m_conversation.session().attachments());
    const auto& turns = m_conversation.session().turns;
    if (!turns.isEmpty() && turns.last().state == TurnState::Running) {
        return;
    }
    // A turn that failed has counted nothing; the one before it has.
    int used = 0;
    for (const Turn& turn : turns) {
        const auto count = turn.provenance.promptIds.size() + turn.provenance.newIds.size();
        used = count > 0 ? int(count) : used;
    }
    m_composer->setUsedTokens(used);
}

void ChatPanel::editLast()
{
    const auto& turns = m_conversation.session().turns;
    if (!turns.isEmpty()) {
        m_composer->setText(turns.last().question);
        m_composer->focusText();
    }
}

void ChatPanel::showHeader()
{
    const QString title = m_conversation.session().title;
    if (!m_title->hasFocus() || !m_title->isModified()) {
        m_title->setText(title.isEmpty() ? tr("New session") : title);
        m_title->setCursorPosition(0);
        m_title->setModified(false);
    }
}

void ChatPanel::showEngine()
{
    const auto& info = m_engine.info();
    switch (m_engine.state()) {
    case EngineThread::State::Empty:
        m_composer->setBlocked(tr("No model is loaded, so nothing can be asked yet."), true);
        break;
    case EngineThread::State::Loading:
        m_composer->setBlocked(tr("The model is being loaded."), false);
        break;
    case EngineThread::State::Failed:
        m_composer->setBlocked(tr("The model could not be loaded."), true);
        break;
    case EngineThread::State::Ready:
        m_composer->setBlocked({}, false);
        break;
    }
    const bool ready = m_engine.state() == EngineThread::State::Ready;
    m_composer->setModel(ready ? info.contextLength : 0, info.tileSize, info.tokensPerTile);
    const QString notice = tr("Not for clinical use. Answers can be wrong.");
    m_notice->setText(ready && info.demonstration
                          ? tr(inference::demonstrationMark) + QStringLiteral(". ") + notice
                          : notice);
}

void ChatPanel::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape) {
        Q_EMIT leaveRequested();
        return;
    }
    QWidget::keyPressEvent(event);
}

}  // namespace ui
