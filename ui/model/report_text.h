#pragma once

#include <QList>
#include <QString>

namespace ui {

/// A stretch of an answer in one weight.
struct TextRun {
    QString text;
    bool bold = false;
    bool operator==(const TextRun&) const = default;
};

struct Paragraph {
    enum class Kind { Plain, Heading, Item };
    Kind kind = Kind::Plain;
    QString marker;  // of an item: "•", "3."
    int depth = 0;   // of an item, from 0
    QList<TextRun> runs;
    bool operator==(const Paragraph&) const = default;
};

/// The little Markdown that models write: headings, lists, bold. All else stays as it is. Empty
/// lines separate and are left out.
QList<Paragraph> paragraphs(const QString& answer);

/// Without control characters, which no format can carry; line breaks and tabs stay.
QString printable(const QString& text);

/// Writes the file whole, or leaves the one that was there. Throws Error that names it.
void writeWhole(const QString& file, const QByteArray& bytes);

}  // namespace ui
