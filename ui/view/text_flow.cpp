#include "ui/view/text_flow.h"

#include "ui/view/theme.h"

#include <QFontDatabase>
#include <QMouseEvent>
#include <QRegularExpression>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextCursor>
#include <QTextDocument>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace ui {

namespace {

// A block is laid out as a whole, so an endless paragraph is cut where a new piece costs too much.
constexpr int kLongLine = 2000;  // characters
constexpr double kMargin = 0;

const QRegularExpression& boxPattern()
{
    static const QRegularExpression pattern(QStringLiteral(
        R"((?:<ref>([^<]*)</ref>)?(?:<box>)?\[((?:\s*\[\s*-?[\d.]+(?:\s*,\s*-?[\d.]+){3}\s*\]\s*,?)+)\s*\](?:</box>)?)"));
    return pattern;
}

const QRegularExpression& inlinePattern()
{
    static const QRegularExpression pattern(
        "`([^`]+)`|\\*\\*([^*]+)\\*\\*|(?<![\\w*])\\*([^*\\s][^*]*)\\*(?!\\w)|" +
        boxPattern().pattern());
    return pattern;
}

QString circled(int index)
{
    return index < 20 ? QString(QChar(0x2460 + index)) : QStringLiteral("(%1)").arg(index + 1);
}

}  // namespace

TextFlow::TextFlow(Kind kind, Tone tone, QWidget* parent)
    : QTextEdit(parent)
    , m_kind(kind)
    , m_tone(tone)
{
    setReadOnly(true);
    setUndoRedoEnabled(false);
    setTextInteractionFlags(Qt::TextSelectableByMouse);
    setFocusPolicy(Qt::ClickFocus);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    // With a fixed width a change of height does not lay the document out again.
    setLineWrapMode(QTextEdit::FixedPixelWidth);
    viewport()->setAutoFillBackground(false);
    viewport()->setMouseTracking(true);
    document()->setDocumentMargin(kMargin);
    fitHeight();
}

void TextFlow::grow(const QString& piece)
{
    if (piece.isEmpty()) {
        return;
    }
    m_source += piece;
    feed(piece);
    fitHeight();
}

void TextFlow::setSource(const QString& text)
{
    m_source = text;
    document()->clear();
    m_line.clear();
    m_start = {};
    m_blockUsed = m_lineBegun = m_gap = m_lineGap = m_fence = m_continued = false;
    m_boxes = m_boxesBeforeLine = 0;
    feed(text);
    fitHeight();
}

void TextFlow::feed(const QString& text)
{
    // A selection that reaches the end must not grow with the text.
    const bool selected = textCursor().hasSelection();
    const int anchor = textCursor().anchor(), position = textCursor().position();
    qsizetype from = 0;
    while (from <= text.size()) {
        const qsizetype end = text.indexOf(QLatin1Char('\n'), from);
        if (const QString part = text.mid(from, end < 0 ? -1 : end - from); !part.isEmpty()) {
            growLine(part);
        }
        if (end < 0) {
            break;
        }
        finishLine();
        from = end + 1;
    }
    if (selected) {
        QTextCursor cursor = textCursor();
        if (cursor.anchor() != anchor || cursor.position() != position) {
            cursor.setPosition(anchor);
            cursor.setPosition(position, QTextCursor::KeepAnchor);
            setTextCursor(cursor);
        }
    }
}

TextFlow::LineStart TextFlow::startOf(const QString& line)
{
    static const QRegularExpression heading(QStringLiteral("^(#{1,6})\\s+"));
    static const QRegularExpression bullet(QStringLiteral("^(\\s*)[-*+]\\s+"));
    static const QRegularExpression number(QStringLiteral("^(\\s*)(\\d{1,3}[.)])\\s+"));
    static const QRegularExpression rule(QStringLiteral("^\\s*(?:-{3,}|\\*{3,}|_{3,})\\s*$"));
    const QString head = line.left(64);
    if (const auto match = heading.match(head); match.hasMatch()) {
        return {match.capturedLength(1) < 3 ? Line::Heading : Line::SmallHeading,
                int(match.capturedLength()),
                {},
                0};
    }
    if (rule.match(line).hasMatch()) {
        return {Line::Rule, int(line.size()), {}, 0};
    }
    if (const auto match = bullet.match(head); match.hasMatch()) {
        return {Line::Bullet, int(match.capturedLength()), QStringLiteral("•  "),
                int(match.capturedLength(1) / 2)};
    }
    if (const auto match = number.match(head); match.hasMatch()) {
        return {Line::Number, int(match.capturedLength()), match.captured(2) + QLatin1Char(' '),
                int(match.capturedLength(1) / 2)};
    }
    if (line.startsWith(QLatin1String("> "))) {
        return {Line::Quote, 2, {}, 0};
    }
    if (line.startsWith(QLatin1Char('|'))) {
        return {Line::Table, 0, {}, 0};
    }
    return {};
}

void TextFlow::growLine(const QString& text)
{
    if (m_kind == Kind::Plain && !m_lineBegun) {
        beginBlock({});
    }
    const bool marked = m_kind == Kind::Marked && !m_fence;
    const LineStart before = m_start;
    m_line += text;
    LineStart start = before;
    if (m_fence) {
        start = {Line::Code, 0, {}, 0};
    } else if (marked && !m_continued && m_line.size() - text.size() < 64) {
        start = startOf(m_line);
    }
    const bool restart = !m_lineBegun || start.line != before.line || start.skip != before.skip;
    static const QRegularExpression markup(QStringLiteral("[*`\\]<>]"));
    if (restart) {
        if (!m_lineBegun) {
            beginBlock(start);
        }
        m_start = start;
        renderLine();
    } else if (marked && text.contains(markup)) {
        renderLine();
    } else {
        QTextCursor cursor(document());
        cursor.movePosition(QTextCursor::End);
        cursor.insertText(text, charFormat(m_start.line));
    }
    // The cut comes after a space, so that no word and no mark is torn.
    if (m_line.size() > kLongLine && !m_fence && text.back().isSpace()) {
        m_line.clear();
        m_blockUsed = true;
        m_lineBegun = false;
        m_continued = true;
        m_boxesBeforeLine = m_boxes;
        m_start.skip = 0;
        m_start.mark.clear();
    }
}

void TextFlow::finishLine()
{
    if (m_kind == Kind::Marked && m_line.trimmed().startsWith(QLatin1String("```"))) {
        m_fence = !m_fence;
        if (m_lineBegun) {
            QTextCursor cursor(document());
            cursor.movePosition(QTextCursor::End);
            cursor.movePosition(QTextCursor::StartOfBlock, QTextCursor::KeepAnchor);
            cursor.removeSelectedText();  // the fence's block serves the next line
            m_blockUsed = false;
        }
        m_gap = true;
    } else if (m_line.isEmpty() && !m_continued) {
        if (m_fence || m_kind == Kind::Plain) {
            beginBlock(m_fence ? LineStart{Line::Code, 0, {}, 0} : LineStart{});
            m_blockUsed = true;
        } else {
            m_gap = true;
        }
    } else {
        if (m_start.line == Line::Rule) {
            m_gap = true;
        }
        m_blockUsed = true;
    }
    m_line.clear();
    m_lineBegun = false;
    m_continued = false;
    m_start = {};
    m_boxesBeforeLine = m_boxes;
}

void TextFlow::beginBlock(const LineStart& start)
{
    m_lineGap = m_gap;
    m_gap = false;
    QTextCursor cursor(document());
    cursor.movePosition(QTextCursor::End);
    if (m_blockUsed) {
        cursor.insertBlock(blockFormat(start), charFormat(start.line));
    } else {
        cursor.setBlockFormat(blockFormat(start));
        cursor.setBlockCharFormat(charFormat(start.line));
    }
    m_blockUsed = false;
    m_lineBegun = true;
}

void TextFlow::renderLine()
{
    QTextCursor cursor(document());
    cursor.movePosition(QTextCursor::End);
    cursor.beginEditBlock();
    cursor.movePosition(QTextCursor::StartOfBlock, QTextCursor::KeepAnchor);
    cursor.removeSelectedText();
    cursor.setBlockFormat(blockFormat(m_start));
    m_boxes = m_boxesBeforeLine;
    const QTextCharFormat base = charFormat(m_start.line);
    if (!m_start.mark.isEmpty()) {
        cursor.insertText(m_start.mark, base);
    }
    const QString shown = m_line.mid(m_start.skip);
    if (m_kind == Kind::Plain || m_start.line == Line::Code || m_start.line == Line::Table) {
        cursor.insertText(shown, base);
    } else {
        insertInline(cursor, shown, base);
    }
    cursor.endEditBlock();
}

void TextFlow::insertInline(QTextCursor& cursor, const QString& text, const QTextCharFormat& base)
{
    qsizetype from = 0;
    auto matches = inlinePattern().globalMatch(text);
    while (matches.hasNext()) {
        const auto match = matches.next();
        cursor.insertText(text.mid(from, match.capturedStart() - from), base);
        from = match.capturedEnd();
        QTextCharFormat format = base;
        if (match.capturedLength(1) > 0) {
            format.setFontFamilies({QFontDatabase::systemFont(QFontDatabase::FixedFont).family()});
            format.setBackground(currentTheme().raised);
            cursor.insertText(match.captured(1), format);
        } else if (match.capturedLength(2) > 0) {
            format.setFontWeight(QFont::DemiBold);
            cursor.insertText(match.captured(2), format);
        } else if (match.capturedLength(3) > 0) {
            format.setFontItalic(true);
            cursor.insertText(match.captured(3), format);
        } else {
            const qsizetype count = match.captured(5).count(QLatin1Char('['));
            const QString label = match.captured(4);
            cursor.insertText(label, base);
            for (qsizetype i = 0; i < count; ++i, ++m_boxes) {
                format.setForeground(findingTextColor(m_boxes));
                format.setFontWeight(QFont::Bold);
                format.setAnchor(true);
                format.setAnchorHref(QStringLiteral("box:%1").arg(m_boxes));
                cursor.insertText(QStringLiteral("\u00a0"), base);
                cursor.insertText(circled(m_boxes), format);
            }
        }
    }
    cursor.insertText(text.mid(from), base);
}

QTextCharFormat TextFlow::charFormat(Line line) const
{
    QTextCharFormat format;
    const Theme& theme = currentTheme();
    const bool secondary = m_tone == Tone::Secondary || line == Line::Quote;
    format.setForeground(secondary ? theme.secondaryText : theme.palette.color(QPalette::Text));
    if (line == Line::Heading || line == Line::SmallHeading) {
        format.setFontWeight(QFont::DemiBold);
        if (line == Line::Heading) {
            format.setFontPointSize(font().pointSizeF() * 1.15);
        }
    } else if (line == Line::Code || line == Line::Table) {
        format.setFontFamilies({QFontDatabase::systemFont(QFontDatabase::FixedFont).family()});
        format.setFontPointSize(font().pointSizeF() * 0.9);
    }
    return format;
}

QTextBlockFormat TextFlow::blockFormat(const LineStart& start) const
{
    QTextBlockFormat format;
    if (m_kind == Kind::Plain) {
        return format;
    }
    const bool first = document()->blockCount() == 1 && !m_blockUsed;
    double top = m_continued || first ? 0 : m_lineGap ? 8 : 2;
    format.setLineHeight(m_fence ? 100 : 118, QTextBlockFormat::ProportionalHeight);
    switch (start.line) {
    case Line::Heading:
    case Line::SmallHeading:
        top = first ? 0 : 12;
        format.setBottomMargin(2);
        break;
    case Line::Bullet:
    case Line::Number: {
        const double indent = fontMetrics().horizontalAdvance(start.mark);
        format.setLeftMargin(8 + 16 * std::min(start.level, 6) + indent);
        format.setTextIndent(-indent);
        break;
    }
    case Line::Quote:
        format.setLeftMargin(12);
        break;
    case Line::Code:
        format.setBackground(currentTheme().raised);
        format.setLeftMargin(8);
        top = m_lineGap ? 8 : 0;
        break;
    default:
        break;
    }
    format.setTopMargin(top);
    return format;
}

int TextFlow::naturalWidth() const
{
    int width = 0;
    for (const QString& line : m_source.split(QLatin1Char('\n'))) {
        width = std::max(width, fontMetrics().horizontalAdvance(line.left(400)));
    }
    return width + 4;
}

void TextFlow::fitHeight()
{
    const int height =
        std::max(fontMetrics().height(), int(std::ceil(document()->size().height())));
    if (height != minimumHeight() || height != maximumHeight()) {
        setFixedHeight(height);
    }
}

QSize TextFlow::sizeHint() const
{
    return {200, minimumHeight()};
}

QSize TextFlow::minimumSizeHint() const
{
    return {40, minimumHeight()};
}

void TextFlow::resizeEvent(QResizeEvent* event)
{
    if (viewport()->width() != lineWrapColumnOrWidth()) {
        setLineWrapColumnOrWidth(std::max(1, viewport()->width()));
        fitHeight();
    }
    QTextEdit::resizeEvent(event);
    verticalScrollBar()->setValue(0);
}

void TextFlow::changeEvent(QEvent* event)
{
    QTextEdit::changeEvent(event);
    if ((event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) &&
        !m_source.isEmpty()) {
        setSource(QString(m_source));
    }
}

int TextFlow::boxAt(const QPoint& position) const
{
    const QString anchor = anchorAt(position);
    return anchor.startsWith(QLatin1String("box:")) ? anchor.mid(4).toInt() : -1;
}

void TextFlow::wheelEvent(QWheelEvent* event)
{
    event->ignore();  // the conversation scrolls, not its parts
}

void TextFlow::mouseMoveEvent(QMouseEvent* event)
{
    QTextEdit::mouseMoveEvent(event);
    const int box = boxAt(event->pos());
    viewport()->setCursor(box >= 0 ? Qt::PointingHandCursor : Qt::IBeamCursor);
    if (box != m_hovered) {
        m_hovered = box;
        Q_EMIT boxHovered(box);
    }
}

void TextFlow::mouseReleaseEvent(QMouseEvent* event)
{
    QTextEdit::mouseReleaseEvent(event);
    const int box = boxAt(event->pos());
    if (box >= 0 && !textCursor().hasSelection()) {
        Q_EMIT boxClicked(box);
    }
}

void TextFlow::leaveEvent(QEvent* event)
{
    QTextEdit::leaveEvent(event);
    if (m_hovered >= 0) {
        m_hovered = -1;
        Q_EMIT boxHovered(-1);
    }
}

}  // namespace ui
