#include "ui/view/sessions_panel.h"

#include "ui/view/icons.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QLocale>
#include <QMenu>
#include <QMessageBox>
#include <QToolButton>

namespace ui {

SessionsPanel::SessionsPanel(SessionWriter& writer, QWidget* parent)
    : QWidget(parent)
    , m_writer(writer)
{
    setProperty("kvlRole", "pane");
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 12, 8);
    column->setSpacing(8);
    auto* row = new QHBoxLayout;
    m_search = new QLineEdit;
    m_search->setAcceptDrops(false);  // files go to the window
    m_search->setObjectName("sessionSearch");
    m_search->setPlaceholderText(tr("Search titles, questions and answers"));
    m_search->setClearButtonEnabled(true);
    row->addWidget(m_search, 1);
    auto* back = new QToolButton;
    back->setObjectName("closeSessions");
    back->setText(tr("Back"));
    back->setToolTip(tr("Back to the conversation (Esc)"));
    connect(back, &QToolButton::clicked, this, &SessionsPanel::closeRequested);
    row->addWidget(back);
    column->addLayout(row);

    m_list = new QListWidget;
    m_list->setObjectName("sessionList");
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setUniformItemSizes(false);
    m_list->setWordWrap(false);
    m_list->setTextElideMode(Qt::ElideRight);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setContextMenuPolicy(Qt::CustomContextMenu);
    m_list->setSpacing(2);
    column->addWidget(m_list, 1);
    m_empty = new QLabel;
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setWordWrap(true);
    m_empty->setProperty("kvlRole", "secondary");
    column->addWidget(m_empty, 1);

    const auto choose = [this](const QListWidgetItem* item) {
        Q_EMIT sessionChosen(item->data(Qt::UserRole).toLongLong());
    };
    connect(m_list, &QListWidget::itemActivated, this, choose);
    connect(m_list, &QListWidget::itemClicked, this, choose);
    connect(m_list, &QListWidget::customContextMenuRequested, this, [this](const QPoint& at) {
        if (m_list->itemAt(at)) {
            auto* menu = new QMenu(this);
            menu->setAttribute(Qt::WA_DeleteOnClose);
            menu->addAction(icon("edit-delete"), tr("Delete this session…"), this,
                            &SessionsPanel::removeCurrent);
            menu->popup(m_list->viewport()->mapToGlobal(at));
        }
    });
    m_typing.setSingleShot(true);
    m_typing.setInterval(150);
    connect(m_search, &QLineEdit::textChanged, &m_typing, qOverload<>(&QTimer::start));
    connect(&m_typing, &QTimer::timeout, this, &SessionsPanel::refresh);
    connect(&m_writer, &SessionWriter::listed, this, &SessionsPanel::fill);
    setFocusProxy(m_search);
    fill({});
}

void SessionsPanel::refresh()
{
    m_writer.list(m_search->text().trimmed());
}

void SessionsPanel::fill(const QList<SessionSummary>& sessions)
{
    m_list->clear();
    const QLocale locale;
    for (const SessionSummary& session : sessions) {
        const QDate day = session.updated.toLocalTime().date();
        const QString when = day == QDate::currentDate()
            ? locale.toString(session.updated.toLocalTime().time(), QLocale::ShortFormat)
            : locale.toString(day, QLocale::ShortFormat);
        const QString title = session.title.isEmpty() ? tr("Untitled") : session.title;
        const QString turns =
            session.turns == 1 ? tr("1 question") : tr("%1 questions").arg(session.turns);
        auto* item = new QListWidgetItem(
            title + QLatin1Char('\n') + when + QStringLiteral(" · ") + turns, m_list);
        item->setData(Qt::UserRole, session.id);
        item->setToolTip(title);
    }
    m_list->setVisible(!sessions.isEmpty());
    m_empty->setVisible(sessions.isEmpty());
    m_empty->setText(m_search->text().isEmpty()
                         ? tr("No session is stored yet. Every question and answer is kept here as "
                              "soon as it is asked.")
                         : tr("Nothing is found for “%1”.").arg(m_search->text()));
}

void SessionsPanel::removeCurrent()
{
    const QListWidgetItem* item = m_list->currentItem();
    if (!item) {
        return;
    }
    const qint64 id = item->data(Qt::UserRole).toLongLong();
    auto* question =
        new QMessageBox(QMessageBox::Question, tr("Delete session"),
                        tr("Delete “%1” with all its questions and answers? This can't be undone.")
                            .arg(item->toolTip()),
                        QMessageBox::Cancel, this);
    question->setTextFormat(Qt::PlainText);
    const auto* yes = question->addButton(tr("Delete"), QMessageBox::DestructiveRole);
    question->setAttribute(Qt::WA_DeleteOnClose);
    connect(question, &QMessageBox::buttonClicked, this,
            [this, id, yes](const QAbstractButton* button) {
                if (static_cast<const void*>(button) == static_cast<const void*>(yes)) {
                    m_writer.remove(id);
                    refresh();
                }
            });
    question->open();
}

void SessionsPanel::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape) {
        Q_EMIT closeRequested();
    } else if (event->key() == Qt::Key_Down && m_search->hasFocus() && m_list->count() > 0) {
        m_list->setFocus();
        m_list->setCurrentRow(0);
    } else if (event->key() == Qt::Key_Delete && m_list->hasFocus()) {
        removeCurrent();
    } else {
        QWidget::keyPressEvent(event);
    }
}

}  // namespace ui
