#include "ui/view/properties_panel.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QLineEdit>
#include <QShortcut>
#include <QSortFilterProxyModel>
#include <QStandardItemModel>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

PropertiesPanel::PropertiesPanel(QWidget* parent)
    : QWidget(parent)
    , m_filter(new QLineEdit(this))
    , m_tree(new QTreeView(this))
    , m_model(new QStandardItemModel(0, 2, this))
    , m_proxy(new QSortFilterProxyModel(this))
{
    m_filter->setPlaceholderText(tr("Filter by name or value"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setAcceptDrops(false);  // files go to the window
    m_filter->setAccessibleName(tr("Filter"));
    m_proxy->setSourceModel(m_model);
    m_proxy->setRecursiveFilteringEnabled(true);
    m_proxy->setFilterKeyColumn(-1);
    m_proxy->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_tree->setModel(m_proxy);
    m_tree->setUniformRowHeights(true);
    m_tree->setAlternatingRowColors(true);
    m_tree->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_tree->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_tree->setTextElideMode(Qt::ElideRight);
    m_tree->setAccessibleName(tr("Properties"));
    m_tree->setFrameShape(QFrame::NoFrame);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(8, 8, 8, 8);
    column->setSpacing(8);
    column->addWidget(m_filter);
    column->addWidget(m_tree, 1);
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_proxy->setFilterFixedString(text);
        m_tree->expandAll();
    });
    auto* copy = new QShortcut(QKeySequence::Copy, m_tree);
    copy->setContext(Qt::WidgetShortcut);
    connect(copy, &QShortcut::activated, this, &PropertiesPanel::copySelected);
}

void PropertiesPanel::setDocument(OpenDocument* document, int index)
{
    if (m_document) {
        disconnect(m_document, nullptr, this, nullptr);
    }
    m_document = document;
    m_index = index;
    fill({});
    if (!document) {
        return;
    }
    connect(document, &OpenDocument::propertiesReady, this,
            [this](int frame, const QList<Property>& properties) {
                if (frame == m_index) {
                    fill(properties);
                }
            });
    document->requestProperties(index);
}

void PropertiesPanel::fill(const QList<Property>& properties)
{
    m_model->clear();
    m_model->setHorizontalHeaderLabels({tr("Name"), tr("Value")});
    QList<QStandardItem*> parents{m_model->invisibleRootItem()};
    for (const Property& property : properties) {
        const int depth = std::clamp(property.depth, 0, int(parents.size()) - 1);
        parents.resize(depth + 1);
        auto* name = new QStandardItem(property.name);
        auto* value = new QStandardItem(property.value);
        value->setToolTip(property.value);
        parents.last()->appendRow({name, value});
        parents.append(name);
    }
    m_tree->expandAll();
    m_tree->header()->setStretchLastSection(true);
    m_tree->resizeColumnToContents(0);
    m_tree->setColumnWidth(0, std::min(m_tree->columnWidth(0) + 8, 320));
}

void PropertiesPanel::copySelected()
{
    QStringList lines;
    // from the top, as they are seen; a selection is in the order it was made
    for (QModelIndex row = m_proxy->index(0, 0); row.isValid(); row = m_tree->indexBelow(row)) {
        if (m_tree->selectionModel()->isSelected(row)) {
            lines << row.data().toString() + u'\t' + row.siblingAtColumn(1).data().toString();
        }
    }
    QApplication::clipboard()->setText(lines.join(u'\n'));
}

}  // namespace ui
