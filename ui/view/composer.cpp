#include "ui/view/composer.h"

#include "inference/error.h"
#include "inference/tiling.h"
#include "ui/model/ask.h"
#include "ui/view/chips.h"
#include "ui/view/icons.h"
#include "ui/view/theme.h"

#include <QAbstractTextDocumentLayout>
#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLocale>
#include <QMimeData>
#include <QPainter>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStyle>
#include <QToolButton>

#include <algorithm>
#include <cmath>

namespace ui {

/// A thin bar of used, added and free context with its numbers.
class ContextGauge : public QWidget {
public:
    explicit ContextGauge(QWidget* parent = nullptr)
        : QWidget(parent)
    {
        QFont small = font();
        small.setPointSizeF(small.pointSizeF() * 0.85);
        setFont(small);
        setObjectName("contextGauge");
    }

    void show(const ContextUse& use)
    {
        m_use = use;
        const QLocale locale;
        const int sum = use.used + use.added;
        m_text = use.length > 0
            ? tr("%1 of %2").arg(locale.toString(sum), locale.toString(use.length))
            : tr("%1 tokens").arg(locale.toString(sum));
        QStringList lines{tr("Context, in tokens"),
                          tr("Conversation so far: %1").arg(locale.toString(use.used)),
                          tr("This question adds %1").arg(locale.toString(use.added)),
                          tr("Kept free for the answer: %1").arg(locale.toString(use.reserved))};
        if (use.length > 0) {
            lines << tr("The model has room for %1").arg(locale.toString(use.length));
        }
        if (tooMuch()) {
            lines << tr("That is more than the model has room for: fewer tiles, fewer pictures or "
                        "a new session help.");
        }
        setToolTip(lines.join(QLatin1Char('\n')));
        setAccessibleName(lines.join(QStringLiteral(". ")));
        updateGeometry();
        update();
    }

    bool tooMuch() const
    {
        return m_use.length > 0 && m_use.used + m_use.added + m_use.reserved > m_use.length;
    }
    QSize sizeHint() const override
    {
        return {kBar + 8 + fontMetrics().horizontalAdvance(m_text), fontMetrics().height()};
    }
    QSize minimumSizeHint() const override
    {
        return {fontMetrics().horizontalAdvance(m_text), fontMetrics().height()};
    }

protected:
    void paintEvent(QPaintEvent*) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        const Theme& theme = currentTheme();
        // The numbers come first where there is no room for both.
        int length = std::min(kBar, width() - fontMetrics().horizontalAdvance(m_text) - 8);
        length = length < kBar / 4 ? 0 : length;
        const QRectF bar(0, (height() - 6) / 2.0, length, 6);
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.track);
        painter.drawRoundedRect(bar, 3, 3);
        if (m_use.length > 0 && length > 0) {
            const auto part = [&](int tokens) {
                return length * std::clamp(double(tokens) / m_use.length, 0.0, 1.0);
            };
            painter.setClipRect(bar);
            painter.setBrush(tooMuch() ? theme.warning : theme.secondaryText);
            painter.drawRoundedRect(
                QRectF(bar.topLeft(),
                       QSizeF(std::max(m_use.used > 0 ? 2.0 : 0.0, part(m_use.used)), 6)),
                2, 2);
            painter.setBrush(tooMuch() ? theme.warning : theme.accent);
            painter.drawRect(QRectF(part(m_use.used), bar.top(),
                                    std::max(m_use.added > 0 ? 2.0 : 0.0, part(m_use.added)), 6));
            painter.setClipping(false);
        }
        painter.setPen(tooMuch() ? theme.warning : theme.secondaryText);
        painter.drawText(rect().adjusted(length > 0 ? length + 8 : 0, 0, 0, 0),
                         Qt::AlignVCenter | Qt::AlignLeft, m_text);
    }

private:
    static constexpr int kBar = 64;
    ContextUse m_use;
    QString m_text;
};

Composer::Composer(QWidget* parent)
    : QWidget(parent)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 12, 4);
    column->setSpacing(8);

    m_blockedRow = new QWidget;
    auto* blocked = new QHBoxLayout(m_blockedRow);
    blocked->setContentsMargins(0, 0, 0, 0);
    m_blockedText = new QLabel;
    m_blockedText->setObjectName("blockedReason");
    m_blockedText->setWordWrap(true);
    m_blockedText->setTextFormat(Qt::PlainText);
    m_blockedText->setProperty("kvlRole", "secondary");
    m_load = new QPushButton(tr("Load a model…"));
    m_load->setObjectName("loadModelFromComposer");
    connect(m_load, &QPushButton::clicked, this, &Composer::loadModelRequested);
    blocked->addWidget(m_blockedText, 1);
    blocked->addWidget(m_load);
    column->addWidget(m_blockedRow);

    m_refusedRow = new QWidget;
    auto* refused = new QHBoxLayout(m_refusedRow);
    refused->setContentsMargins(0, 0, 0, 0);
    m_refusedText = new QLabel;
    m_refusedText->setObjectName("refusedReason");
    m_refusedText->setWordWrap(true);
    m_refusedText->setTextFormat(Qt::PlainText);
    m_refusedText->setProperty("kvlRole", "warning");
    m_mend = new QPushButton;
    m_mend->setObjectName("mendRefused");
    refused->addWidget(m_refusedText, 1);
    refused->addWidget(m_mend, 0, Qt::AlignTop);
    m_refusedRow->hide();
    column->addWidget(m_refusedRow);

    m_field = new QFrame;
    m_field->setProperty("kvlRole", "field");
    auto* inField = new QVBoxLayout(m_field);
    inField->setContentsMargins(8, 8, 8, 8);
    inField->setSpacing(4);
    m_chips = new ChipRow;
    m_chips->setObjectName("composerChips");
    inField->addWidget(m_chips);
    m_edit = new QPlainTextEdit;
    m_edit->setObjectName("composerText");
    m_edit->setAccessibleName(tr("Question"));
    m_edit->setPlaceholderText(tr("Ask about the picture"));
    m_edit->setFrameShape(QFrame::NoFrame);
    m_edit->viewport()->setAutoFillBackground(false);
    m_edit->setTabChangesFocus(true);
    m_edit->setAcceptDrops(false);  // files go to the window
    m_edit->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_edit->document()->setDocumentMargin(2);
    m_edit->installEventFilter(this);
    inField->addWidget(m_edit);

    auto* bottom = new QHBoxLayout;
    bottom->setSpacing(8);
    m_keep = new QToolButton;
    m_keep->setObjectName("keepPicture");
    m_keep->setIcon(icon("list-add"));
    m_keep->setIconSize({16, 16});
    m_keep->setText(tr("Add this picture"));
    m_keep->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    connect(m_keep, &QToolButton::clicked, this, &Composer::keepCurrent);
    bottom->addWidget(m_keep);
    bottom->addStretch(1);
    m_gauge = new ContextGauge;
    bottom->addWidget(m_gauge);
    m_send = new QToolButton;
    m_send->setObjectName("sendButton");
    m_send->setIconSize({22, 22});
    connect(m_send, &QToolButton::clicked, this, &Composer::send);
    bottom->addWidget(m_send);
    inField->addLayout(bottom);
    column->addWidget(m_field);
    m_ledger = new QLabel;
    m_ledger->setObjectName("contextLedger");
    m_ledger->setTextFormat(Qt::PlainText);
    m_ledger->setWordWrap(true);
    m_ledger->setAlignment(Qt::AlignRight);
    m_ledger->setProperty("kvlRole", "secondary");
    m_ledger->setToolTip(tr("What this question would cost, in tokens, as the engine counts it"));
    m_ledger->setFont(m_gauge->font());
    m_ledger->hide();
    column->addWidget(m_ledger);

    connect(m_mend, &QPushButton::clicked, this, [this] {
        if (!m_counted) {
            return;
        }
        if (m_counted->newTokensFit > 0) {
            Q_EMIT newTokensRequested(m_counted->newTokensFit);
        } else if (m_counted->tilesFit > 0) {
            Q_EMIT maxTilesRequested(m_counted->tilesFit);
        } else if (m_counted->fitsInNewTalk) {
            Q_EMIT newSessionRequested();
        }
    });
    connect(m_edit, &QPlainTextEdit::textChanged, this, [this] {
        fitText();
        countTokens();
    });
    connect(m_edit->document()->documentLayout(), &QAbstractTextDocumentLayout::documentSizeChanged,
            this, [this] { fitText(); });
    setFocusProxy(m_edit);
    setBlocked({}, false);
    showChips();
    fitText();
}

QString Composer::text() const
{
    return m_edit->toPlainText();
}

void Composer::setText(const QString& text)
{
    m_edit->setPlainText(text);
    m_edit->moveCursor(QTextCursor::End);
}

void Composer::focusText()
{
    m_edit->setFocus(Qt::ShortcutFocusReason);
}

namespace {

bool same(const AttachedFrame& a, const AttachedFrame& b)
{
    return samePicture(nameAttachment(a), nameAttachment(b));
}

}  // namespace

bool Composer::isKnown(const AttachedFrame& frame) const
{
    const Attachment wanted = nameAttachment(frame);
    return std::any_of(m_known.begin(), m_known.end(),
                       [&](const Attachment& a) { return samePicture(a, wanted); });
}

bool Composer::isCurrentSent() const
{
    return m_current && !m_currentOff && !isKnown(*m_current) &&
        std::none_of(m_kept.begin(), m_kept.end(),
                     [&](const AttachedFrame& f) { return same(f, *m_current); });
}

void Composer::setCurrent(const std::optional<AttachedFrame>& frame, const QString& document)
{
    if (document != m_document) {
        m_currentOff = false;
        m_document = document;
    }
    m_current = frame;
    showChips();
}

void Composer::setKnown(const QList<Attachment>& known)
{
    m_known = known;
    showChips();
}

QList<AttachedFrame> Composer::frames() const
{
    QList<AttachedFrame> all = m_kept;
    if (isCurrentSent()) {
        all << *m_current;
    }
    return all;
}

void Composer::keepCurrent()
{
    if (!m_current || isKnown(*m_current)) {
        return;
    }
    m_currentOff = false;
    if (std::none_of(m_kept.begin(), m_kept.end(),
                     [&](const AttachedFrame& f) { return same(f, *m_current); })) {
        m_kept << *m_current;
    }
    showChips();
}

void Composer::reset()
{
    m_kept.clear();
    m_edit->clear();
    showChips();
}

void Composer::showChips()
{
    m_chips->clear();
    for (const AttachedFrame& frame : frames()) {
        auto* chip = new PictureChip(attachmentThumbnail(frame), frame.title,
                                     attachmentDetails(frame), true);
        connect(chip, &PictureChip::clicked, this,
                [this, frame] { Q_EMIT attachmentClicked(frame); });
        connect(chip, &PictureChip::removed, this, [this, frame] {
            const auto gone = std::find_if(m_kept.begin(), m_kept.end(),
                                           [&](const AttachedFrame& f) { return same(f, frame); });
            if (gone != m_kept.end()) {
                m_kept.erase(gone);
            }
            m_currentOff = m_currentOff || (m_current && same(*m_current, frame));
            showChips();
        });
        m_chips->add(chip);
    }
    m_chips->setVisible(!m_chips->isEmpty());
    const bool known = m_current && isKnown(*m_current);
    m_keep->setEnabled(m_current && !known);
    m_keep->setVisible(m_current.has_value());
    m_keep->setText(known                 ? tr("In the conversation")
                        : isCurrentSent() ? tr("Keep this picture")
                                          : tr("Add this picture"));
    m_keep->setToolTip(
        known ? tr("The conversation has this picture already, so it is not sent again")
            : isCurrentSent()
            ? tr("Send this picture with the question even when another one is shown by then")
            : tr("Send the picture that is shown with the question"));
    countTokens();
}

void Composer::setBusy(bool busy)
{
    m_busy = busy;
    if (busy) {
        clearCounted();
    } else {
        countTokens();
    }
    showSend();
}

void Composer::setBlocked(const QString& reason, bool load)
{
    m_blocked = !reason.isEmpty();
    m_blockedText->setText(reason);
    m_load->setVisible(load);
    m_blockedRow->setVisible(m_blocked);
    showSend();
}

void Composer::showSend()
{
    m_send->setIcon(icon(m_busy ? "media-playback-stop" : "document-send"));
    m_send->setText(m_busy ? tr("Stop") : tr("Ask"));
    m_send->setAccessibleName(m_send->text());
    // What was refused may be mended by what was typed since; the engine refuses again where not.
    const bool refused = m_counted && !m_stale && !m_counted->problem.empty();
    m_send->setEnabled(m_busy || (!m_blocked && !refused && !text().trimmed().isEmpty()));
    m_send->setToolTip(m_busy          ? tr("Stop the answer (Ctrl+.)")
                           : m_blocked ? m_blockedText->text()
                           : refused   ? m_refusedText->text()
                                       : tr("Ask (Enter)"));
}

void Composer::setModel(int contextLength, int tileSize, int tokensPerTile)
{
    m_use.length = contextLength;
    if (contextLength == 0) {
        clearCounted();
    }
    m_tileSize = tileSize > 0 ? tileSize : 448;
    m_tokensPerTile = tokensPerTile > 0 ? tokensPerTile : 256;
    countTokens();
}

void Composer::setAskOptions(const AskOptions& options)
{
    m_options = options;
    countTokens();
}

void Composer::setUsedTokens(int tokens)
{
    m_use.used = tokens;
    countTokens();
}

void Composer::setCounted(const inference::ContextUse& use, int ownPictures)
{
    m_counted = use;
    m_ownPictures = ownPictures;
    m_stale = false;
    showCounted();
}

void Composer::clearCounted()
{
    m_counted.reset();
    showCounted();
}

QString Composer::ledger() const
{
    return m_ledger->isHidden() ? QString() : m_ledger->text();
}

/// "system 64 · history 512 · pictures 1,280 · question 17 · reserved 1,024 of 32,768"
void Composer::showCounted()
{
    const QLocale locale;
    QStringList parts;
    const auto part = [&](const QString& text, int tokens) {
        if (tokens > 0) {
            parts << text.arg(locale.toString(tokens));
        }
    };
    QString problem, mend;
    if (m_counted) {
        const inference::ContextUse& use = *m_counted;
        part(tr("system %1"), use.system);
        part(tr("history %1"), use.history);
        part(tr("pictures %1"), use.pictureTokens());
        part(tr("question %1"), use.question);
        part(tr("reserved %1"), use.newTokens);
        int own = use.question;
        for (int i = std::max(0, int(use.pictures.size()) - m_ownPictures);
             i < int(use.pictures.size()); ++i) {
            own += use.pictures[std::size_t(i)].tokens;
        }
        m_use.added = own;
        m_use.used = use.promptTokens() - own;
        m_use.reserved = use.newTokens;
        m_gauge->show(m_use);
        problem = QString::fromStdString(use.problem);
        mend = problem.isEmpty() ? QString()
            : use.newTokensFit > 0
            ? tr("Allow %1 new tokens").arg(locale.toString(use.newTokensFit))
            : use.tilesFit == 1 ? tr("Use 1 tile")
            : use.tilesFit > 0  ? tr("Use %1 tiles").arg(use.tilesFit)
            : use.fitsInNewTalk ? tr("New session")
                                : QString();
        m_ledger->setText(
            tr("%1 of %2")
                .arg(parts.join(QStringLiteral(" · ")), locale.toString(use.contextLength)));
    }
    m_ledger->setVisible(m_counted.has_value());
    m_refusedText->setText(problem);
    m_refusedRow->setVisible(!problem.isEmpty() && !m_busy);
    m_mend->setText(mend);
    m_mend->setVisible(!mend.isEmpty());
    showSend();
}

void Composer::countTokens()
{
    m_stale = true;
    Q_EMIT pendingChanged();
    if (m_counted) {  // stands until the engine has counted again
        showSend();
        return;
    }
    int tokens = 0;
    for (const AttachedFrame& frame : frames()) {
        const QSize size = frame.region.isNull() ? frame.frame.pixels.size() : frame.region.size();
        if (!size.isEmpty()) {
            tokens += inference::layoutTiles(size.width(), size.height(),
                                             {.tileSize = m_tileSize,
                                              .maxTiles = m_options.maxTiles,
                                              .tokensPerTile = m_tokensPerTile})
                          .tokens;
        }
    }
    // Byte-pair tokens hold about four bytes of English; the template adds a handful.
    const qsizetype bytes = text().toUtf8().size();
    m_use.added = tokens + (bytes > 0 || tokens > 0 ? int((bytes + 3) / 4) + 12 : 0);
    m_use.reserved = m_options.maxNewTokens;
    m_gauge->show(m_use);
    showSend();
}

void Composer::fitText()
{
    const int lines = std::clamp(int(std::lround(m_edit->document()->size().height())), 1, 8);
    const int height = lines * m_edit->fontMetrics().lineSpacing() + 6;
    m_edit->setVerticalScrollBarPolicy(
        m_edit->document()->size().height() > 8.5 ? Qt::ScrollBarAsNeeded : Qt::ScrollBarAlwaysOff);
    if (m_edit->minimumHeight() != height) {
        m_edit->setFixedHeight(height);
    }
}

void Composer::send()
{
    if (m_busy) {
        Q_EMIT stopRequested();
    } else if (m_send->isEnabled()) {
        Q_EMIT askRequested();
    }
}

bool Composer::eventFilter(QObject* watched, QEvent* event)
{
    if (watched != m_edit) {
        return QWidget::eventFilter(watched, event);
    }
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) {
        m_field->setProperty("kvlFocus", event->type() == QEvent::FocusIn);
        m_field->style()->unpolish(m_field);
        m_field->style()->polish(m_field);
    } else if (event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
        if (enter && !(key->modifiers() & Qt::ShiftModifier)) {
            if (!m_busy) {
                send();
            }
            return true;
        }
        const QMimeData* copied = QGuiApplication::clipboard()->mimeData();
        if (key->matches(QKeySequence::Paste) && copied && !copied->hasText() &&
            copied->hasImage()) {
            Q_EMIT pictureNeeded();
            return true;
        }
        if (key->key() == Qt::Key_Escape) {
            Q_EMIT leaveRequested();
            return true;
        }
        if (key->key() == Qt::Key_Up && key->modifiers() == Qt::NoModifier && text().isEmpty() &&
            !m_lastQuestion.isEmpty()) {
            setText(m_lastQuestion);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void Composer::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange) {
        fitText();
    }
}

}  // namespace ui
