#include "ui/view/chips.h"

#include "ui/model/conversation.h"
#include "ui/view/theme.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QToolButton>

#include <algorithm>

namespace ui {

namespace {

QString details(const QString& window, const QRect& region, bool inverted, bool asShown)
{
    QStringList parts;
    if (!window.isEmpty()) {
        parts << window;
    }
    if (inverted) {
        parts << QObject::tr("inverted");
    }
    if (asShown) {
        parts << QObject::tr("as shown");
    }
    if (!region.isNull()) {
        parts << QObject::tr("region %1 × %2").arg(region.width()).arg(region.height());
    }
    return parts.join(QStringLiteral(" · "));
}

QString number(double value)
{
    return QString::number(value, 'g', 5);
}

}  // namespace

QString attachmentDetails(const Attachment& a)
{
    return details(a.window, a.region, a.options.inverted, a.options.asShown);
}

QString attachmentDetails(const AttachedFrame& a)
{
    const QString window = a.frame.window
        ? QObject::tr("C %1 W %2")
              .arg(number(a.frame.window->center), number(a.frame.window->width))
        : QString();
    return details(window, a.region, a.options.inverted, a.options.asShown);
}

QImage attachmentThumbnail(const AttachedFrame& a)
{
    // Sampled coarsely first: smooth scaling of a picture of 100 MP would be felt.
    const QRect from = a.region.isNull() ? a.frame.pixels.rect() : a.region;
    if (from.isEmpty()) {
        return {};
    }
    const QSize coarse = from.size().scaled(from.size().boundedTo({384, 384}), Qt::KeepAspectRatio);
    QImage sampled(coarse.expandedTo({1, 1}), QImage::Format_RGB32);
    QPainter(&sampled).drawImage(sampled.rect(), a.frame.pixels, from);
    return sampled.scaled(96, 96, Qt::KeepAspectRatio, Qt::SmoothTransformation);
}

PictureChip::PictureChip(const QImage& thumbnail, const QString& title, const QString& details,
                         bool removable, QWidget* parent)
    : QFrame(parent)
{
    setProperty("kvlRole", "card");
    setCursor(Qt::PointingHandCursor);
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(title + QStringLiteral(", ") + details);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(4, 4, 8, 4);
    layout->setSpacing(8);

    auto* picture = new QLabel;
    picture->setFixedSize(36, 36);
    picture->setAlignment(Qt::AlignCenter);
    if (!thumbnail.isNull()) {
        const double ratio = devicePixelRatioF();
        QPixmap pixmap = QPixmap::fromImage(
            thumbnail.scaled(QSize(36, 36) * ratio, Qt::KeepAspectRatio, Qt::SmoothTransformation));
        pixmap.setDevicePixelRatio(ratio);
        picture->setPixmap(pixmap);
    }
    layout->addWidget(picture);

    auto* lines = new QVBoxLayout;
    lines->setSpacing(0);
    for (const QString& line : {title, details}) {
        if (line.isEmpty()) {
            continue;
        }
        auto* label = new QLabel;
        label->setTextFormat(Qt::PlainText);
        label->setText(label->fontMetrics().elidedText(line, Qt::ElideMiddle, 230));
        QFont font = label->font();
        font.setPointSizeF(font.pointSizeF() * (lines->isEmpty() ? 0.92 : 0.85));
        label->setFont(font);
        if (!lines->isEmpty()) {
            label->setProperty("kvlRole", "secondary");
        }
        lines->addWidget(label);
    }
    layout->addLayout(lines);
    setToolTip(details.isEmpty() ? title : title + QLatin1Char('\n') + details);

    if (removable) {
        auto* remove = new QToolButton;
        remove->setObjectName("removeAttachment");
        remove->setText(QStringLiteral("✕"));
        remove->setProperty("kvlRole", "secondary");
        remove->setAutoRaise(true);
        remove->setToolTip(tr("Do not send this picture"));
        connect(remove, &QToolButton::clicked, this, &PictureChip::removed);
        layout->addWidget(remove);
    }
}

void PictureChip::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton && rect().contains(event->pos())) {
        Q_EMIT clicked();
    }
}

void PictureChip::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Space) {
        Q_EMIT clicked();
    } else if (event->key() == Qt::Key_Delete || event->key() == Qt::Key_Backspace) {
        Q_EMIT removed();
    } else {
        QFrame::keyPressEvent(event);
    }
}

BoxChip::BoxChip(int index, const AnswerBox& box, QWidget* parent)
    : QPushButton(parent)
    , m_index(index)
{
    const QString sign =
        index < 20 ? QString(QChar(0x2460 + index)) : QStringLiteral("(%1)").arg(index + 1);
    QString label = box.label.isEmpty() ? tr("region") : box.label;
    label.replace(QLatin1Char('&'), QLatin1String("&&"));
    setText(sign + QLatin1Char(' ') + fontMetrics().elidedText(label, Qt::ElideRight, 200));
    setToolTip(tr("%1 × %2 px at %3, %4 · click to show it on the picture")
                   .arg(qRound(box.rect.width()))
                   .arg(qRound(box.rect.height()))
                   .arg(qRound(box.rect.x()))
                   .arg(qRound(box.rect.y())));
    setCursor(Qt::PointingHandCursor);
    colour();
}

void BoxChip::colour()
{
    const QString name = findingTextColor(m_index).name();
    m_colouring = true;
    setStyleSheet(
        QStringLiteral("QPushButton { color: %1; border: 1px solid %1; padding: 1px 8px; }")
            .arg(name));
    m_colouring = false;
}

void BoxChip::changeEvent(QEvent* event)
{
    QPushButton::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && !m_colouring) {
        colour();
    }
}

void BoxChip::enterEvent(QEnterEvent* event)
{
    QPushButton::enterEvent(event);
    Q_EMIT hovered(true);
}

void BoxChip::leaveEvent(QEvent* event)
{
    QPushButton::leaveEvent(event);
    Q_EMIT hovered(false);
}

ChipRow::ChipRow(Qt::Alignment alignment, QWidget* parent)
    : QWidget(parent)
    , m_alignment(alignment)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setFixedHeight(0);
}

void ChipRow::add(QWidget* chip)
{
    chip->setParent(this);
    m_chips.append(chip);
    chip->show();
    arrange();
}

void ChipRow::clear()
{
    for (QWidget* chip : m_chips) {
        chip->hide();
        chip->deleteLater();
    }
    m_chips.clear();
    arrange();
}

int ChipRow::naturalWidth() const
{
    int width = 0;
    for (const QWidget* chip : m_chips) {
        width += chip->sizeHint().width() + (width > 0 ? 4 : 0);
    }
    return width;
}

QSize ChipRow::sizeHint() const
{
    return {naturalWidth(), minimumHeight()};
}

void ChipRow::arrange()
{
    constexpr int gap = 4;
    int y = 0;
    qsizetype first = 0;
    while (first < m_chips.size()) {
        int used = 0, height = 0;
        qsizetype end = first;
        for (; end < m_chips.size(); ++end) {
            const QSize size = m_chips[end]->sizeHint();
            const int next = used + (end > first ? gap : 0) + size.width();
            if (end > first && next > width()) {
                break;
            }
            used = next;
            height = std::max(height, size.height());
        }
        int x = m_alignment & Qt::AlignRight ? std::max(0, width() - used) : 0;
        for (; first < end; ++first) {
            const QSize size = m_chips[first]->sizeHint();
            m_chips[first]->setGeometry(x, y, std::min(size.width(), std::max(1, width())), height);
            x += size.width() + gap;
        }
        y += height + (first < m_chips.size() ? gap : 0);
    }
    if (y != minimumHeight() || y != maximumHeight()) {
        setFixedHeight(y);
    }
}

void ChipRow::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    arrange();
}

bool ChipRow::event(QEvent* event)
{
    if (event->type() == QEvent::LayoutRequest) {
        arrange();
    }
    return QWidget::event(event);
}

}  // namespace ui
