#include "ui/model/ask.h"
#include "ui/model/report.h"
#include "ui/model/report_text.h"

#include <QBuffer>
#include <QFont>
#include <QFontMetricsF>
#include <QLocale>
#include <QPainter>
#include <QPdfWriter>
#include <QTextLayout>

#include <algorithm>
#include <functional>
#include <memory>

/// A4 laid out by hand: pictures stay with their captions, questions with what follows them, and
/// every page says what it is not for. All is laid out before the first page is painted, for "page
/// 2 of 5".
namespace ui {
namespace {

constexpr double pageWidth = 210, pageHeight = 297, margin = 18, footer = 14;  // mm
constexpr double width = pageWidth - 2 * margin;
constexpr int dotsPerInch = 600;

const QColor ink(0x1b, 0x1e, 0x22), quiet(0x5b, 0x63, 0x6c), line(0xd4, 0xd8, 0xdc),
    accent(0x16, 0x66, 0xa8), warning(0x8a, 0x5a, 0x00);

struct Style {
    double points = 10;
    QColor color = ink;
    bool bold = false;
    double indent = 0;  // mm from the left margin
    bool bar = false;   // a line along the left edge, in the accent colour
    QString marker{};   // in front of the first line, of a list item
    double lineHeight = 1.2;
};

QFont fontOf(const Style& style)
{
    QFont font(QStringList{QStringLiteral("Noto Sans"), QStringLiteral("DejaVu Sans"),
                           QStringLiteral("Liberation Sans")});
    font.setPointSizeF(style.points);
    font.setBold(style.bold);
    return font;
}

class Pages {
public:
    explicit Pages(QPdfWriter& writer)
        : m_writer(writer)
    {
        newPage();
    }

    void space(double millimetres) { m_y = std::min(m_y + millimetres, bottom()); }

    /// Starts a page where less than this is left.
    void need(double millimetres)
    {
        if (m_y + millimetres > bottom() && m_y > margin) {
            newPage();
        }
    }

    void text(const QString& plain, const Style& style)
    {
        text(QList<TextRun>{{plain, false}}, style);
    }

    /// Breaks between lines where the page ends.
    void text(const QList<TextRun>& runs, const Style& style)
    {
        const auto layout = layOut(runs, style, width - style.indent);
        double top = 0;
        for (int i = 0; i < layout->lineCount(); ++i) {
            const double height = layout->lineAt(i).height() / unit() * style.lineHeight;
            need(height);
            const QPointF at((margin + style.indent) * unit(), m_y * unit() - top);
            draw([layout, i, at, color = style.color](QPainter& painter) {
                painter.setPen(color);
                layout->lineAt(i).draw(&painter, at);
            });
            if (i == 0 && !style.marker.isEmpty()) {
                marker(style, layout->lineAt(0).ascent());
            }
            if (style.bar) {
                fill(QRectF(margin, m_y, 0.8, height), accent);
            }
            top += layout->lineAt(i).height();
            m_y += height;
        }
    }

    double heightOf(const QString& plain, const Style& style, double within) const
    {
        const auto layout = layOut({{plain, false}}, style, within);
        double height = 0;
        for (int i = 0; i < layout->lineCount(); ++i) {
            height += layout->lineAt(i).height() / unit() * style.lineHeight;
        }
        return height;
    }

    /// Side by side where there are two or more.
    void pictures(const QList<ReportPicture>& all)
    {
        constexpr double gap = 6;
        const int columns = all.size() > 1 ? 2 : 1;
        const double cell = (width - gap * (columns - 1)) / columns;
        const double highest = columns == 1 ? 115 : 90;
        for (int row = 0; row < all.size(); row += columns) {
            const auto inRow = all.mid(row, columns);
            double imageHeight = 0, captionHeight = 0;
            for (const ReportPicture& one : inRow) {
                imageHeight = std::max(imageHeight, fit(one.image, cell, highest).height());
                captionHeight = std::max(captionHeight, captionOf(one, cell));
            }
            need(imageHeight + captionHeight + 1.5);
            const double top = m_y;
            for (int i = 0; i < inRow.size(); ++i) {
                picture(inRow[i], margin + i * (cell + gap), top, cell, highest, imageHeight);
            }
            m_y = top + imageHeight + 1.5 + captionHeight + 4;
        }
    }

    void facts(const QList<ReportFact>& all)
    {
        constexpr double names = 34;
        for (const ReportFact& fact : all) {
            Style value{8, quiet, false, names};
            need(std::min(heightOf(fact.value, value, width - names), 20.0));
            const double top = m_y;
            const int page = int(m_pages.size());
            text(fact.name, {8, quiet});
            if (page == int(m_pages.size())) {
                m_y = top;
            }
            value.color = ink;
            text(fact.value, value);
        }
    }

    void rule()
    {
        fill(QRectF(margin, m_y, width, 0.2), line);
        m_y += 0.2;
    }

    void paint(const QString& title)
    {
        QPainter painter(&m_writer);
        painter.setRenderHint(QPainter::LosslessImageRendering);
        for (int i = 0; i < int(m_pages.size()); ++i) {
            if (i > 0) {
                m_writer.newPage();
            }
            for (const auto& one : m_pages[std::size_t(i)]) {
                one(painter);
            }
            paintFooter(painter, title,
                        QStringLiteral("Page %1 of %2").arg(i + 1).arg(m_pages.size()));
        }
    }

private:
    using Draw = std::function<void(QPainter&)>;

    static double bottom() { return pageHeight - margin - footer; }
    static double unit() { return dotsPerInch / 25.4; }

    static QRectF scaled(const QRectF& rect)
    {
        return {rect.x() * unit(), rect.y() * unit(), rect.width() * unit(),
                rect.height() * unit()};
    }

    void newPage()
    {
        m_pages.emplace_back();
        m_y = margin;
    }

    void draw(Draw one) { m_pages.back().push_back(std::move(one)); }

    void fill(const QRectF& rect, const QColor& color)
    {
        draw([rect = scaled(rect), color](QPainter& painter) { painter.fillRect(rect, color); });
    }

    std::shared_ptr<QTextLayout> layOut(const QList<TextRun>& runs, const Style& style,
                                        double within) const
    {
        QString all;
        QList<QTextLayout::FormatRange> formats;
        for (const TextRun& run : runs) {
            if (run.bold) {
                QTextCharFormat bold;
                bold.setFontWeight(QFont::Bold);
                formats << QTextLayout::FormatRange{int(all.size()), int(run.text.size()), bold};
            }
            all += run.text;
        }
        all = printable(all);
        all.replace(QLatin1Char('\n'), QChar::LineSeparator);
        auto layout = std::make_shared<QTextLayout>(all, fontOf(style), &m_writer);
        QTextOption option;
        option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
        option.setTabStopDistance(12 * unit());
        layout->setTextOption(option);
        layout->setFormats(formats);
        layout->beginLayout();
        double y = 0;
        for (QTextLine one = layout->createLine(); one.isValid(); one = layout->createLine()) {
            one.setLineWidth(within * unit());
            one.setPosition({0, y});
            y += one.height();
        }
        layout->endLayout();
        return layout;
    }

    void marker(const Style& style, double ascent)
    {
        const QFontMetricsF metrics(fontOf(style), &m_writer);
        const QPointF at((margin + style.indent - 1.6) * unit() -
                             metrics.horizontalAdvance(style.marker),
                         m_y * unit() + ascent);
        draw([text = style.marker, at, font = fontOf(style)](QPainter& painter) {
            painter.setFont(font);
            painter.setPen(quiet);
            painter.drawText(at, text);
        });
    }

    static QSizeF fit(const QImage& image, double cell, double highest)
    {
        return image.isNull() ? QSizeF(0, 0)
                              : QSizeF(image.size()).scaled(cell, highest, Qt::KeepAspectRatio);
    }

    static Style captionStyle() { return {8, quiet}; }

    double captionOf(const ReportPicture& one, double cell) const
    {
        return heightOf(one.caption, captionStyle(), cell);
    }

    void picture(const ReportPicture& one, double x, double top, double cell, double highest,
                 double rowHeight)
    {
        if (!one.image.isNull()) {
            const QSizeF size = fit(one.image, cell, highest);
            const QRectF place(QPointF(x, top + rowHeight - size.height()), size);
            draw([image = one.image, place = scaled(place)](QPainter& painter) {
                painter.drawImage(place, image);
                painter.setPen(QPen(line, 0.15 * unit()));
                painter.setBrush(Qt::NoBrush);
                painter.drawRect(place);  // where white pictures end
            });
        }
        const auto layout = layOut({{one.caption, false}}, captionStyle(), cell);
        double y = top + rowHeight + 1.5, before = 0;
        for (int i = 0; i < layout->lineCount(); ++i) {
            draw([layout, i, at = QPointF(x * unit(), y * unit() - before)](QPainter& painter) {
                painter.setPen(quiet);
                layout->lineAt(i).draw(&painter, at);
            });
            before += layout->lineAt(i).height();
            y += layout->lineAt(i).height() / unit() * captionStyle().lineHeight;
        }
    }

    void paintFooter(QPainter& painter, const QString& title, const QString& page)
    {
        const QRectF place = scaled(QRectF(margin, pageHeight - margin - 6, width, 6));
        painter.fillRect(scaled(QRectF(margin, pageHeight - margin - 7, width, 0.2)), line);
        const auto write = [&](const QString& text, const QColor& color, bool bold, int side) {
            painter.setFont(fontOf({8, color, bold}));
            painter.setPen(color);
            painter.drawText(place, side | Qt::AlignVCenter, text);
        };
        write(QStringLiteral("Not for clinical use"), warning, true, Qt::AlignLeft);
        write(page, quiet, false, Qt::AlignRight);
        const QFontMetricsF metrics(fontOf({8, quiet}), &m_writer);
        write(metrics.elidedText(printable(title), Qt::ElideRight, 95 * unit()), quiet, false,
              Qt::AlignHCenter);
    }

    QPdfWriter& m_writer;
    std::vector<std::vector<Draw>> m_pages;
    double m_y = 0;  // mm from the top of the page
};

void addTurn(Pages& pages, const ReportTurn& turn, const ReportTurn* before,
             const ReportOptions& options)
{
    Style question{11, ink, true, 4};
    question.bar = true;
    pages.space(3);
    // A question does not stand alone at the end of a page.
    pages.need(std::min(pages.heightOf(turn.question, question, width - 4), 80.0) + 25);
    pages.text(turn.question, question);
    pages.space(4);
    pages.pictures(turn.pictures);
    if (!turn.thinking.isEmpty()) {
        pages.need(15);
        pages.text(QStringLiteral("Reasoning, %1 s").arg(qRound(turn.thinkingSeconds)),
                   {8.5, accent});
        pages.space(1);
        for (const QString& paragraph :
             turn.thinking.split(QLatin1Char('\n'), Qt::SkipEmptyParts)) {
            pages.text(paragraph, {8.5, quiet, false, 4});
            pages.space(0.8);
        }
        pages.space(3);
    }
    for (const Paragraph& one : paragraphs(turn.answer)) {
        Style style;
        style.lineHeight = 1.25;
        if (one.kind == Paragraph::Kind::Item) {
            style.indent = 6 + 5 * one.depth;
            style.marker = one.marker;
        } else if (one.kind == Paragraph::Kind::Heading) {
            pages.space(1.5);
            pages.need(16);
        }
        pages.text(one.runs, style);
        pages.space(one.kind == Paragraph::Kind::Plain ? 2 : 1);
    }
    if (!turn.note.isEmpty()) {
        pages.space(1);
        pages.text(turn.note, {9, warning});
    }
    if (options.provenance) {
        pages.space(3);
        pages.facts(reportFacts(turn, before));
    }
    pages.space(5);
}

}  // namespace

void writePdfReport(const Report& report, const QString& file)
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    {
        QPdfWriter writer(&buffer);
        writer.setResolution(dotsPerInch);
        writer.setPageLayout(
            QPageLayout(QPageSize(QPageSize::A4), QPageLayout::Portrait, QMarginsF(0, 0, 0, 0)));
        writer.setTitle(printable(report.title));
        writer.setCreator(programName());
        Pages pages(writer);
        pages.text(report.title, {18, ink, true});
        pages.space(2);
        pages.text(
            QLocale(QLocale::English).toString(report.made, QStringLiteral("d MMMM yyyy, HH:mm")) +
                QStringLiteral(" · ") + programName(),
            {9, quiet});
        pages.text(QStringLiteral("Not for clinical use. A model's answers can be wrong; check "
                                  "them against the pictures."),
                   {9, warning});
        pages.space(4);
        const ReportTurn* before = nullptr;
        for (const ReportTurn& turn : report.turns) {
            pages.need(50);
            pages.rule();
            addTurn(pages, turn, before, report.options);
            before = &turn;
        }
        pages.paint(report.title);
    }
    writeWhole(file, buffer.data());
}

}  // namespace ui
