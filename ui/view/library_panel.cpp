#include "ui/view/library_panel.h"

#include "ui/view/library_model.h"

#include <QDesktopServices>
#include <QFileInfo>
#include <QKeyEvent>
#include <QLabel>
#include <QListView>
#include <QMenu>
#include <QPointer>
#include <QPushButton>
#include <QScrollBar>
#include <QStackedWidget>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

namespace {

QWidget* emptyState(LibraryPanel* panel)
{
    auto* page = new QWidget;
    auto* text =
        new QLabel(LibraryPanel::tr("Open a DICOM file, a picture, a video or a paper"), page);
    text->setWordWrap(true);
    text->setAlignment(Qt::AlignCenter);
    text->setProperty("kvlRole", "secondary");
    auto* button = new QPushButton(LibraryPanel::tr("Open…"), page);
    QObject::connect(button, &QPushButton::clicked, panel, &LibraryPanel::openRequested);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(16, 16, 16, 16);
    column->setSpacing(12);
    column->addStretch(1);
    column->addWidget(text);
    column->addWidget(button, 0, Qt::AlignHCenter);
    column->addStretch(2);
    return page;
}

}  // namespace

LibraryPanel::LibraryPanel(QWidget* parent)
    : QWidget(parent)
    , m_model(new LibraryModel(this))
    , m_list(new QListView)
    , m_delegate(new LibraryDelegate(*m_model, this))
    , m_stack(new QStackedWidget(this))
{
    m_list->setModel(m_model);
    m_list->setItemDelegate(m_delegate);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setMouseTracking(true);
    m_list->viewport()->setAttribute(Qt::WA_Hover);
    m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setSelectionMode(QAbstractItemView::SingleSelection);
    m_list->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_list->setContextMenuPolicy(Qt::CustomContextMenu);
    m_list->setAccessibleName(tr("Opened documents"));
    m_list->installEventFilter(this);
    // files dropped here are the window's
    m_list->setAcceptDrops(false);
    m_list->viewport()->setAcceptDrops(false);

    m_stack->addWidget(emptyState(this));
    m_stack->addWidget(m_list);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_stack);
    setFocusProxy(m_list);

    const auto showEmptyState = [this] {
        m_stack->setCurrentIndex(m_model->rowCount() > 0 ? 1 : 0);
    };
    connect(m_model, &QAbstractItemModel::rowsInserted, this, showEmptyState);
    connect(m_model, &QAbstractItemModel::rowsRemoved, this, showEmptyState);
    connect(m_model, &QAbstractItemModel::dataChanged, m_list,
            [this](const QModelIndex&, const QModelIndex&, const QList<int>& roles) {
                if (roles.isEmpty()) {  // headers come and go, and heights with them
                    m_list->doItemsLayout();
                }
            });
    connect(m_list->selectionModel(), &QItemSelectionModel::currentChanged, this,
            [this](const QModelIndex& index) {
                OpenDocument* document = index.isValid() ? m_model->at(index.row()) : nullptr;
                if (document) {
                    m_model->markRead(document);
                }
                Q_EMIT currentChanged(document);
            });
    // A click means the picture, so its keys work at once; Enter says the same from the keyboard.
    for (const auto signal : {&QListView::activated, &QListView::clicked}) {
        connect(m_list, signal, this,
                [this](const QModelIndex& index) { Q_EMIT activated(m_model->at(index.row())); });
    }
    connect(m_list, &QWidget::customContextMenuRequested, this, &LibraryPanel::showMenu);
}

LibraryPanel::~LibraryPanel() = default;

void LibraryPanel::add(OpenDocument* document)
{
    m_model->add(document);
}

void LibraryPanel::remove(OpenDocument* document)
{
    m_model->remove(document);
}

QList<OpenDocument*> LibraryPanel::documents() const
{
    QList<OpenDocument*> all;
    for (int row = 0; row < m_model->rowCount(); ++row) {
        all.append(m_model->at(row));
    }
    return all;
}

OpenDocument* LibraryPanel::current() const
{
    const QModelIndex index = m_list->currentIndex();
    return index.isValid() ? m_model->at(index.row()) : nullptr;
}

void LibraryPanel::setCurrent(OpenDocument* document)
{
    const int row = m_model->rowOf(document);
    if (row >= 0) {
        m_list->setCurrentIndex(m_model->index(row));
        m_list->scrollTo(m_model->index(row));
    } else {
        m_list->setCurrentIndex({});
    }
}

OpenDocument* LibraryPanel::nextUnread() const
{
    const int count = m_model->rowCount();
    const int from = std::max(m_list->currentIndex().row(), 0);
    for (int i = 0; i < count; ++i) {
        const int row = (from + i) % count;
        if (m_model->isUnread(row)) {
            return m_model->at(row);
        }
    }
    return nullptr;
}

void LibraryPanel::setCompact(bool compact)
{
    m_compact = compact;
    m_delegate->setCompact(compact);
    m_list->doItemsLayout();
    m_list->viewport()->update();
    updateGeometry();
}

QSize LibraryPanel::sizeHint() const
{
    return {m_compact ? minimumSizeHint().width() : 220, 480};
}

QSize LibraryPanel::minimumSizeHint() const
{
    const int scroll = m_list->verticalScrollBar()->sizeHint().width();
    return {m_compact ? LibraryDelegate::thumbnailSide + 16 + scroll : 180, 160};
}

bool LibraryPanel::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_list && event->type() == QEvent::KeyPress) {
        auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_Delete && current()) {
            Q_EMIT closeRequested(current());
            return true;
        }
        if (key->key() == Qt::Key_Escape && current()) {
            Q_EMIT activated(current());
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void LibraryPanel::showMenu(const QPoint& position)
{
    const QModelIndex index = m_list->indexAt(position);
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    OpenDocument* document = index.isValid() ? m_model->at(index.row()) : nullptr;
    if (document) {
        // the document may be closed by other means while the menu is up
        const QPointer<OpenDocument> held(document);
        menu->addAction(tr("Properties…"), this, [this, held] {
            if (held) {
                Q_EMIT propertiesRequested(held);
            }
        });
        QAction* folder = menu->addAction(tr("Show in folder"), this, [held] {
            if (held) {
                const QFileInfo info(held->path());
                QDesktopServices::openUrl(QUrl::fromLocalFile(info.isDir() ? info.absoluteFilePath()
                                                                           : info.absolutePath()));
            }
        });
        folder->setEnabled(!document->path().isEmpty() && QFileInfo::exists(document->path()));
        menu->addSeparator();
        menu->addAction(tr("Close") + QStringLiteral("\tDel"), this, [this, held] {
            if (held) {
                Q_EMIT closeRequested(held);
            }
        });
        menu->addAction(tr("Close all"), this, &LibraryPanel::closeAllRequested);
        menu->addSeparator();
    }
    menu->addAction(tr("Open…"), this, &LibraryPanel::openRequested);
    Q_EMIT menuAboutToShow(menu, document);
    menu->popup(m_list->viewport()->mapToGlobal(position));
}

}  // namespace ui
