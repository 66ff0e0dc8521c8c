#pragma once

#include "ui/model/frame_loader.h"

#include <QPointer>
#include <QWidget>

class QLineEdit;
class QSortFilterProxyModel;
class QStandardItemModel;
class QTreeView;

namespace ui {

/// All that a file says about itself, as a tree that can be searched and copied from.
class PropertiesPanel : public QWidget {
    Q_OBJECT
public:
    explicit PropertiesPanel(QWidget* parent = nullptr);

    void setDocument(OpenDocument* document, int index = 0);  // null: empties it
    QSize sizeHint() const override { return {560, 640}; }

private:
    void fill(const QList<Property>& properties);
    void copySelected();

    QPointer<OpenDocument> m_document;
    int m_index = 0;
    QLineEdit* m_filter;
    QTreeView* m_tree;
    QStandardItemModel* m_model;
    QSortFilterProxyModel* m_proxy;
};

}  // namespace ui
