#pragma once

#include "ui/model/frame_loader.h"

#include <QAbstractListModel>
#include <QPixmap>
#include <QSet>
#include <QStyledItemDelegate>

namespace ui {

/// The opened documents, those of one path together in the order they came. Thumbnails are asked
/// for when they are first painted.
class LibraryModel : public QAbstractListModel {
    Q_OBJECT
public:
    enum Role {
        DocumentRole = Qt::UserRole,
        SubtitleRole,
        CountRole,   // frames
        HeaderRole,  // name of the folder or file, at the first of several that share it; else
                     // empty
        UnreadRole,
    };

    explicit LibraryModel(QObject* parent = nullptr);

    void add(OpenDocument* document);
    void remove(OpenDocument* document);
    int rowOf(const OpenDocument* document) const;
    OpenDocument* at(int row) const { return m_rows.value(row).document; }
    void markRead(OpenDocument* document);
    bool isUnread(int row) const { return row < m_rows.size() && m_rows[row].unread; }

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    /// The thumbnail, `side` screen pixels at most; null while it is being made, with asking for
    /// it.
    QPixmap thumbnail(int row, int side);
    bool hasFailed(int row) const { return row < m_rows.size() && m_rows[row].failed; }

private:
    struct Row {
        OpenDocument* document = nullptr;
        QPixmap thumbnail;
        int asked = 0;  // side in screen pixels; 0: not yet
        bool failed = false, unread = true;
    };
    QList<Row> m_rows;
};

/// Thumbnail of 96 px, title, subtitle, and how many frames there are.
class LibraryDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    static constexpr int thumbnailSide = 96;

    LibraryDelegate(LibraryModel& model, QObject* parent);
    void setCompact(bool compact) { m_compact = compact; }

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    LibraryModel& m_model;
    bool m_compact = false;
};

}  // namespace ui
