#pragma once

#include <QTextBlockFormat>
#include <QTextCharFormat>
#include <QTextEdit>

namespace ui {

/// Text of a model or a user, as tall as it is; grows at the end without laying out what is there.
/// Nothing in it is read as HTML and nothing is fetched. `Marked` knows headings, lists, code,
/// bold, italic and boxes (`label[[x1, y1, x2, y2]]` becomes `label ①`); `Plain` knows none.
class TextFlow : public QTextEdit {
    Q_OBJECT
public:
    enum class Kind { Plain, Marked };
    enum class Tone { Text, Secondary };

    explicit TextFlow(Kind kind, Tone tone = Tone::Text, QWidget* parent = nullptr);

    void grow(const QString& piece);
    void setSource(const QString& text);
    /// Everything appended, as it came.
    const QString& source() const { return m_source; }
    /// Boxes written out in the text so far.
    int boxMarks() const { return m_boxes; }
    /// Width of the longest line unbroken, margins included.
    int naturalWidth() const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

Q_SIGNALS:
    void boxHovered(int box);  // -1: none any more
    void boxClicked(int box);

protected:
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    QVariant loadResource(int, const QUrl&) override { return {}; }

private:
    enum class Line { Paragraph, Heading, SmallHeading, Bullet, Number, Quote, Code, Table, Rule };
    struct LineStart {
        Line line = Line::Paragraph;
        int skip = 0;  // characters of the source that are not shown
        QString mark;  // shown instead, "• "
        int level = 0;
    };

    static LineStart startOf(const QString& line);
    void feed(const QString& text);
    void growLine(const QString& text);
    void finishLine();
    void beginBlock(const LineStart& start);
    void renderLine();
    void insertInline(QTextCursor& cursor, const QString& text, const QTextCharFormat& base);
    QTextCharFormat charFormat(Line line) const;
    QTextBlockFormat blockFormat(const LineStart& start) const;
    void fitHeight();
    int boxAt(const QPoint& position) const;

    const Kind m_kind;
    const Tone m_tone;
    QString m_source;
    QString m_line;            // the last line so far, as it came
    LineStart m_start;         // how it is shown
    bool m_blockUsed = false;  // the last block belongs to a finished line
    bool m_lineBegun = false;  // the last block belongs to m_line
    bool m_gap = false;        // an empty line came before the next line
    bool m_lineGap = false;    // ... before m_line
    bool m_fence = false;
    bool m_continued = false;  // m_line goes on from a paragraph that was cut for its length
    int m_boxes = 0, m_boxesBeforeLine = 0;
    int m_hovered = -1;
};

}  // namespace ui
