#include "tools/demo/demo_paper.h"

#include <QAbstractTextDocumentLayout>
#include <QBuffer>
#include <QFile>
#include <QImage>
#include <QPainter>
#include <QPdfWriter>
#include <QRegularExpression>
#include <QTextDocument>

#include <stdexcept>

namespace demo {
namespace {

// A4 as the workbench draws it: 2,000 pixels high (ui/model/pdf_document.cpp).
constexpr int pageWidth = 1413, pageHeight = 2000, margin = 130, gap = 55;
constexpr int column = (pageWidth - 2 * margin - gap) / 2;

const char* const abstractText =
    "<p><b>Abstract.</b> A model that answers questions about pictures can be tested well only "
    "where "
    "the right answers are known. We draw pictures whose content is known by construction, ask "
    "about "
    "them in many wordings, and keep with each question what was drawn. Here we show three of the "
    "charts. Nothing in this paper was measured: names, numbers and curves are drawn at "
    "random.</p>";

const char* const leftText =
    "<p><b>1 Pictures that know their answers</b></p>"
    "<p>A generator with a fixed seed draws charts, phantoms in the manner of CT, MR, X-ray and "
    "ultrasound, cavities in the manner of endoscopy, and sections with countable nuclei. It keeps "
    "the "
    "place, extent and colour of every thing it draws. Sizes, contrast, noise and resolution vary; "
    "things "
    "that are counted never touch.</p>"
    "<p>A question asks how many there are, on which side the largest lies, for its box, whether "
    "there "
    "are more than some number, or, of a chart, for its kind, title, highest bar or trend. Some "
    "ask for "
    "what is not there, and the answer then says so. No kind of question can be answered well "
    "without "
    "looking: counts, sides and yes or no are equally frequent.</p>";

const char* const rightText =
    "<p><b>2 How to ask</b></p>"
    "<p>Before each answer the model lists what it found and where, in percent of the picture's "
    "width and "
    "height: the reader can check it against the picture. Boxes are drawn on it.</p>"
    "<p>The model sees small tiles. A whole page is more than it can read: drag a region around "
    "one "
    "figure and ask about that.</p>";

const char* const endText = "<p><b>3 Limits</b></p>"
                            "<p>A model that learned from drawn pictures knows drawn pictures. "
                            "Asked about a real one, or about "
                            "what it never learned, it should say that it cannot read it. It is no "
                            "medical device, and none of "
                            "its answers is for clinical use.</p>"
                            "<p><b>4 Reproduction</b></p>"
                            "<p>Pictures, questions and this page are made again, the same to the "
                            "last digit, by the tool make_demo "
                            "in the sources of KVL Workbench.</p>";

class Page {
public:
    Page(QPdfWriter& writer, QPainter& painter)
        : m_writer(writer)
        , m_painter(painter)
    {
    }

    /// Returns the height.
    int text(const QString& html, int x, int y, int width, double points, bool centred = false)
    {
        QTextDocument document;
        document.documentLayout()->setPaintDevice(&m_writer);
        QFont font(QStringLiteral("DejaVu Sans"));
        font.setPointSizeF(points);
        document.setDefaultFont(font);
        document.setDocumentMargin(0);
        document.setDefaultTextOption(QTextOption(centred ? Qt::AlignHCenter : Qt::AlignJustify));
        document.setHtml(html);
        document.setTextWidth(width * dots());
        m_painter.save();
        m_painter.translate(x * dots(), y * dots());
        document.drawContents(&m_painter);
        m_painter.restore();
        return int(document.size().height() / dots()) + 1;
    }

    QRect figure(const Picture& picture, int x, int y)
    {
        const inference::Image& image = picture.image;
        const QRect place(x, y, image.width, image.height);
        m_painter.drawImage(
            QRectF(x * dots(), y * dots(), image.width * dots(), image.height * dots()),
            QImage(image.pixels.get(), image.width, image.height, image.stride,
                   QImage::Format_RGB888));
        return place;
    }

private:
    double dots() const { return double(m_writer.height()) / pageHeight; }

    QPdfWriter& m_writer;
    QPainter& m_painter;
};

/// Qt writes the time of day; the same length, so that the table of offsets stays true.
QByteArray withoutTheHour(const QByteArray& pdf)
{
    QString text = QString::fromLatin1(pdf);
    text.replace(QRegularExpression(QStringLiteral("\\(D:\\d{14}")),
                 QStringLiteral("(D:20260101120000"));
    return text.toLatin1();
}

}  // namespace

std::vector<Figure> writePaper(const std::vector<Picture>& charts,
                               const std::filesystem::path& file)
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    std::vector<Figure> figures;
    {
        QPdfWriter writer(&buffer);
        writer.setResolution(600);
        writer.setPageLayout(QPageLayout(QPageSize(QPageSize::A4), QPageLayout::Portrait, {}));
        writer.setTitle(QStringLiteral("Pictures that know their answers"));
        writer.setCreator(QStringLiteral("KVL Workbench, make_demo"));
        QPainter painter(&writer);
        painter.setRenderHint(QPainter::LosslessImageRendering);
        Page page(writer, painter);
        const int right = margin + column + gap;
        const auto caption = [&](int number, const QString& text, int x, int y) {
            page.text(QStringLiteral("<p><b>Figure %1.</b> %2</p>").arg(number).arg(text), x, y,
                      column, 8);
        };
        const auto figure = [&](const Picture& chart, int onPage, int x, int y) {
            const int inset = (column - chart.image.width) / 2;
            figures.push_back({onPage, page.figure(chart, x + inset, y)});
            return y + chart.image.height + 14;
        };
        int y = 120;
        y += page.text(QStringLiteral("<b>Pictures that know their answers</b>"), margin, y,
                       pageWidth - 2 * margin, 17, true);
        y += page.text(QStringLiteral("KVL Workbench · a paper of the demonstration study"), margin,
                       y + 10, pageWidth - 2 * margin, 9, true);
        y += 50;
        y += page.text(QString::fromUtf8(abstractText), margin + 80, y,
                       pageWidth - 2 * margin - 160, 9);
        y += 30;
        const int left = y + page.text(QString::fromUtf8(leftText), margin, y, column, 9.5);
        caption(1, QStringLiteral("A drawn bar chart. Height and colour of each bar are random."),
                margin, figure(charts.at(0), 0, margin, left + 30));
        y += page.text(QString::fromUtf8(rightText), right, y, column, 9.5);
        caption(2, QStringLiteral("A drawn line chart. Each line rises, falls or stays."), right,
                figure(charts.at(1), 0, right, y + 30));
        writer.newPage();
        caption(3, QStringLiteral("A drawn pie chart."), margin,
                figure(charts.at(2), 1, margin, 130));
        page.text(QString::fromUtf8(endText), right, 130, column, 9.5);
    }
    QFile out(QString::fromStdString(file.string()));
    const QByteArray bytes = withoutTheHour(buffer.data());
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.flush()) {
        throw std::runtime_error(file.string() +
                                 " can't be written: " + out.errorString().toStdString());
    }
    return figures;
}

}  // namespace demo
