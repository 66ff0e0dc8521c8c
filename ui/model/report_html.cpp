#include "ui/model/ask.h"
#include "ui/model/error.h"
#include "ui/model/report.h"
#include "ui/model/report_text.h"

#include <QBuffer>
#include <QCryptographicHash>
#include <QFile>
#include <QLocale>

/// One file with everything in it: no script, no address, nothing that is fetched. Text of people,
/// files and models goes through escaped(); nothing else may.
namespace ui {
namespace {

QString escaped(const QString& text)
{
    return printable(text).toHtmlEscaped();
}

QByteArray styleSheet()
{
    QFile file(QStringLiteral(":/report/report.css"));
    if (!file.open(QIODevice::ReadOnly)) {
        throw Error(QStringLiteral("The program lacks its resource report/report.css."));
    }
    return file.readAll();
}

QString dataUri(const QImage& image)
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return QStringLiteral("data:image/png;base64,") + QString::fromLatin1(buffer.data().toBase64());
}

QString markup(const QList<TextRun>& runs)
{
    QString html;
    for (const TextRun& run : runs) {
        html += run.bold ? QStringLiteral("<strong>%1</strong>").arg(escaped(run.text))
                         : escaped(run.text);
    }
    return html;
}

QString markup(const QList<Paragraph>& all)
{
    QString html;
    for (const Paragraph& one : all) {
        switch (one.kind) {
        case Paragraph::Kind::Plain:
            html += QStringLiteral("<p>%1</p>\n").arg(markup(one.runs));
            break;
        case Paragraph::Kind::Heading:
            html += QStringLiteral("<h3>%1</h3>\n").arg(markup(one.runs));
            break;
        case Paragraph::Kind::Item:
            html += QStringLiteral(
                        "<p class=\"item depth-%1\"><span class=\"marker\">%2</span> %3</p>\n")
                        .arg(QString::number(one.depth), escaped(one.marker), markup(one.runs));
            break;
        }
    }
    return html;
}

QString figure(const ReportPicture& picture)
{
    const QString caption = escaped(picture.caption);
    QString html = QStringLiteral("<figure>\n");
    if (!picture.image.isNull()) {
        html += QStringLiteral("<img src=\"") + dataUri(picture.image) +
            QStringLiteral("\" alt=\"") + caption + QStringLiteral("\">\n");
    }
    return html + QStringLiteral("<figcaption>") + caption +
        QStringLiteral("</figcaption>\n</figure>\n");
}

QString factTable(const QList<ReportFact>& facts)
{
    QString html = QStringLiteral(
        "<details class=\"facts\"><summary>How this answer was made</summary>\n<table>\n");
    for (const ReportFact& fact : facts) {
        html += QStringLiteral("<tr><th scope=\"row\">") + escaped(fact.name) +
            QStringLiteral("</th><td>") + escaped(fact.value) + QStringLiteral("</td></tr>\n");
    }
    return html + QStringLiteral("</table>\n</details>\n");
}

QString section(const ReportTurn& turn, const ReportTurn* before, const ReportOptions& options)
{
    QString html = QStringLiteral("<section>\n<h2 class=\"question\">") + escaped(turn.question) +
        QStringLiteral("</h2>\n");
    for (const ReportPicture& picture : turn.pictures) {
        html += figure(picture);
    }
    if (!turn.thinking.isEmpty()) {
        html += QStringLiteral(
                    "<details open><summary>Reasoning, %1 s</summary><div class=\"thinking\">")
                    .arg(qRound(turn.thinkingSeconds)) +
            escaped(turn.thinking) + QStringLiteral("</div></details>\n");
    }
    if (!turn.answer.isEmpty()) {
        html += QStringLiteral("<div class=\"answer\">\n") + markup(paragraphs(turn.answer)) +
            QStringLiteral("</div>\n");
    }
    if (!turn.note.isEmpty()) {
        html +=
            QStringLiteral("<p class=\"note\">") + escaped(turn.note) + QStringLiteral("</p>\n");
    }
    if (options.provenance) {
        html += factTable(reportFacts(turn, before));
    }
    return html + QStringLiteral("</section>\n");
}

}  // namespace

void writeHtmlReport(const Report& report, const QString& file)
{
    const QByteArray css = styleSheet();
    const QString cssHash =
        QString::fromLatin1(QCryptographicHash::hash(css, QCryptographicHash::Sha256).toBase64());
    const QString title = escaped(report.title);
    const QString made =
        QLocale(QLocale::English).toString(report.made, QStringLiteral("d MMMM yyyy, HH:mm"));
    // The policy allows what is in the file and nothing else, should a text ever get past
    // escaped().
    QString html =
        QStringLiteral("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                       "img-src data:; style-src 'sha256-") +
        cssHash +
        QStringLiteral("'; base-uri 'none'; form-action 'none'\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<meta name=\"generator\" content=\"") +
        programName() + QStringLiteral("\">\n<title>") + title +
        QStringLiteral("</title>\n<style>") + QString::fromUtf8(css) +
        QStringLiteral("</style>\n</head>\n<body>\n<h1>") + title +
        QStringLiteral("</h1>\n<p class=\"when\">") + made +
        QStringLiteral("</p>\n<p class=\"notice\">Not for clinical use. A model's answers can be "
                       "wrong; check them "
                       "against the pictures.</p>\n");
    const ReportTurn* before = nullptr;
    for (const ReportTurn& turn : report.turns) {
        html += section(turn, before, report.options);
        before = &turn;
    }
    html += QStringLiteral("<footer>Not for clinical use · ") + programName() +
        QStringLiteral("</footer>\n</body>\n</html>\n");
    writeWhole(file, html.toUtf8());
}

}  // namespace ui
