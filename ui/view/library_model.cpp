#include "ui/view/library_model.h"

#include "ui/view/theme.h"

#include <QFileInfo>
#include <QLocale>
#include <QPainter>
#include <QPainterPath>
#include <QTextLayout>

#include <algorithm>

namespace ui {

namespace {

constexpr int kMargin = 8;

/// As many lines as fit, the last one cut with an ellipsis. Returns the height used.
double drawLines(QPainter& painter, const QRectF& rect, const QString& text, const QFont& font,
                 const QColor& colour, int most)
{
    const QFontMetricsF metrics(font);
    QTextLayout layout(text, font);
    QTextOption wrap;
    wrap.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    layout.setTextOption(wrap);
    painter.setFont(font);
    painter.setPen(colour);
    layout.beginLayout();
    double y = rect.top();
    for (int number = 1; number <= most && y + metrics.height() <= rect.bottom() + 1; ++number) {
        QTextLine line = layout.createLine();
        if (!line.isValid()) {
            break;
        }
        line.setLineWidth(rect.width());
        const QPointF at(rect.left(), y + metrics.ascent());
        const bool last = number == most || y + 2 * metrics.height() > rect.bottom() + 1;
        const QString rest = text.mid(line.textStart());
        painter.drawText(at,
                         last ? metrics.elidedText(rest, Qt::ElideRight, rect.width())
                              : rest.left(line.textLength()).trimmed());
        y += metrics.height();
    }
    layout.endLayout();
    return y - rect.top();
}

}  // namespace

LibraryModel::LibraryModel(QObject* parent)
    : QAbstractListModel(parent)
{
}

void LibraryModel::add(OpenDocument* document)
{
    if (!document || rowOf(document) >= 0) {
        return;
    }
    int row = int(m_rows.size());
    for (int i = 0; i < m_rows.size(); ++i) {
        if (m_rows[i].document->path() == document->path()) {
            row = i + 1;
        }
    }
    beginInsertRows({}, row, row);
    m_rows.insert(row, Row{document, {}, 0, false, true});
    endInsertRows();
    if (row > 0) {  // the group's header may have come to be
        Q_EMIT dataChanged(index(0), index(row));
    }
    connect(document, &OpenDocument::thumbnailReady, this,
            [this, document](int frame, const QImage& image) {
                const int at = rowOf(document);
                if (at >= 0 && frame == document->frameCount() / 2) {
                    m_rows[at].thumbnail = QPixmap::fromImage(image);
                    m_rows[at].failed = image.isNull();
                    Q_EMIT dataChanged(index(at), index(at), {Qt::DecorationRole});
                }
            });
    connect(document, &QObject::destroyed, this, [this, document] { remove(document); });
}

void LibraryModel::remove(OpenDocument* document)
{
    const int row = rowOf(document);
    if (row < 0) {
        return;
    }
    disconnect(document, nullptr, this, nullptr);
    beginRemoveRows({}, row, row);
    m_rows.removeAt(row);
    endRemoveRows();
    if (!m_rows.isEmpty()) {
        Q_EMIT dataChanged(index(0), index(int(m_rows.size()) - 1));
    }
}

int LibraryModel::rowOf(const OpenDocument* document) const
{
    for (int row = 0; row < m_rows.size(); ++row) {
        if (m_rows[row].document == document) {
            return row;
        }
    }
    return -1;
}

void LibraryModel::markRead(OpenDocument* document)
{
    const int row = rowOf(document);
    if (row >= 0 && std::exchange(m_rows[row].unread, false)) {
        Q_EMIT dataChanged(index(row), index(row), {UnreadRole});
    }
}

int LibraryModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : int(m_rows.size());
}

QVariant LibraryModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid() || index.row() >= m_rows.size()) {
        return {};
    }
    const Row& row = m_rows[index.row()];
    const OpenDocument& document = *row.document;
    switch (role) {
    case Qt::DisplayRole:
        return document.title();
    case Qt::ToolTipRole:
        return QStringLiteral("%1\n%2\n%3")
            .arg(document.title(), document.subtitle(), document.path());
    case Qt::AccessibleTextRole:
        return QStringLiteral("%1, %2").arg(document.title(), document.subtitle());
    case DocumentRole:
        return QVariant::fromValue(row.document);
    case SubtitleRole:
        return document.subtitle();
    case CountRole:
        return document.frameCount();
    case UnreadRole:
        return row.unread;
    case HeaderRole: {
        const auto shares = [&](int other) {
            return other >= 0 && other < m_rows.size() &&
                m_rows[other].document->path() == document.path();
        };
        if (document.path().isEmpty() || shares(index.row() - 1) || !shares(index.row() + 1)) {
            return QString();
        }
        const QString name = QFileInfo(document.path()).fileName();
        return name.isEmpty() ? document.path() : name;
    }
    default:
        return {};
    }
}

QPixmap LibraryModel::thumbnail(int row, int side)
{
    Row& entry = m_rows[row];
    if (entry.asked < side) {
        entry.asked = side;
        entry.document->requestThumbnail(entry.document->frameCount() / 2, side);
    }
    return entry.thumbnail;
}

LibraryDelegate::LibraryDelegate(LibraryModel& model, QObject* parent)
    : QStyledItemDelegate(parent)
    , m_model(model)
{
}

QSize LibraryDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const bool header = !index.data(LibraryModel::HeaderRole).toString().isEmpty();
    const int above = header && !m_compact ? option.fontMetrics.height() + kMargin : 0;
    return {thumbnailSide + 2 * kMargin, thumbnailSide + 2 * kMargin + above};
}

void LibraryDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                            const QModelIndex& index) const
{
    const Theme& theme = currentTheme();
    const QColor text = option.palette.color(QPalette::Text);
    QFont small = option.font;
    small.setPointSizeF(small.pointSizeF() * 0.85);
    const QFontMetrics smallMetrics(small);
    QRect row = option.rect;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);

    const QString header = index.data(LibraryModel::HeaderRole).toString();
    if (!header.isEmpty() && !m_compact) {
        const QRect line(row.left() + kMargin, row.top(), row.width() - 2 * kMargin,
                         option.fontMetrics.height() + kMargin);
        painter->setFont(small);
        painter->setPen(theme.secondaryText);
        painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                          smallMetrics.elidedText(header, Qt::ElideMiddle, line.width()));
        row.setTop(line.bottom() + 1);
    }

    const bool selected = option.state.testFlag(QStyle::State_Selected);
    const bool hovered = option.state.testFlag(QStyle::State_MouseOver);
    const QRectF ground = QRectF(row).adjusted(2.5, 1.5, -2.5, -1.5);
    if (selected || hovered) {
        painter->setPen(selected ? QPen(theme.accent, 1) : QPen(Qt::NoPen));
        painter->setBrush(theme.raised);
        painter->drawRoundedRect(ground, 6, 6);
    }

    const QRect box(row.left() + kMargin, row.top() + kMargin, thumbnailSide, thumbnailSide);
    painter->fillRect(box, theme.viewport);
    const double ratio = painter->device()->devicePixelRatioF();
    const QPixmap thumbnail =
        const_cast<LibraryModel&>(m_model).thumbnail(index.row(), int(thumbnailSide * ratio));
    if (!thumbnail.isNull()) {
        const QSizeF size = QSizeF(thumbnail.size()).scaled(box.size(), Qt::KeepAspectRatio);
        QRectF place({}, size);
        place.moveCenter(QRectF(box).center());
        painter->setRenderHint(QPainter::SmoothPixmapTransform);
        painter->drawPixmap(place, thumbnail, QRectF(thumbnail.rect()));
    } else if (m_model.hasFailed(index.row())) {
        painter->setFont(small);
        painter->setPen(QColor(0x9a, 0xa1, 0xa9));
        painter->drawText(box, Qt::AlignCenter | Qt::TextWordWrap, tr("No picture"));
    }

    const int frames = index.data(LibraryModel::CountRole).toInt();
    if (frames > 1) {
        const QString count = QLocale().toString(frames);
        QRectF badge(0, 0, smallMetrics.horizontalAdvance(count) + 10, smallMetrics.height() + 2);
        badge.moveBottomRight(QRectF(box).bottomRight() - QPointF(3, 3));
        painter->setPen(Qt::NoPen);
        painter->setBrush(QColor(0, 0, 0, 190));
        painter->drawRoundedRect(badge, 6, 6);
        painter->setFont(small);
        painter->setPen(QColor(0xe6, 0xe8, 0xea));
        painter->drawText(badge, Qt::AlignCenter, count);
    }
    if (index.data(LibraryModel::UnreadRole).toBool()) {
        painter->setPen(QPen(QColor(0, 0, 0, 200), 1));
        painter->setBrush(theme.accent);
        painter->drawEllipse(QPointF(box.left() + 9, box.top() + 9), 4, 4);
    }

    if (!m_compact) {
        QRectF words(box.right() + 1 + kMargin, box.top(), 0, thumbnailSide);
        words.setRight(row.right() - kMargin);
        const double used = drawLines(*painter, words, index.data(Qt::DisplayRole).toString(),
                                      option.font, text, 3);
        words.setTop(words.top() + used + 2);
        drawLines(*painter, words, index.data(LibraryModel::SubtitleRole).toString(), small,
                  theme.secondaryText, 3);
    }
    if (option.state.testFlag(QStyle::State_HasFocus)) {
        painter->setBrush(Qt::NoBrush);
        painter->setPen(QPen(theme.accent, 2));
        painter->drawRoundedRect(ground, 6, 6);
    }
    painter->restore();
}

}  // namespace ui
