#include "ui/model/error.h"
#include "ui/model/report.h"
#include "ui/model/report_text.h"

#include <QFileInfo>
#include <QLocale>
#include <QRegularExpression>
#include <QSaveFile>
#include <QStorageInfo>

namespace ui {

void writePdfReport(const Report& report, const QString& file);   // report_pdf.cpp
void writeHtmlReport(const Report& report, const QString& file);  // report_html.cpp

namespace {

/// `**bold**`; a lone pair of stars stays.
QList<TextRun> runsOf(const QString& line)
{
    QList<TextRun> runs;
    const auto add = [&](const QString& text, bool bold) {
        if (!text.isEmpty()) {
            runs << TextRun{text, bold};
        }
    };
    static const QRegularExpression bold(QStringLiteral(R"(\*\*(?=\S)(.+?)(?<=\S)\*\*)"));
    qsizetype end = 0;
    for (auto found = bold.globalMatch(line); found.hasNext();) {
        const auto match = found.next();
        add(line.mid(end, match.capturedStart() - end), false);
        add(match.captured(1), true);
        end = match.capturedEnd();
    }
    add(line.mid(end), false);
    return runs;
}

const ReportFormat& formatOf(const QString& file)
{
    QStringList known;
    for (const ReportFormat& format : reportFormats()) {
        if (QFileInfo(file).suffix().compare(format.suffix, Qt::CaseInsensitive) == 0) {
            return format;
        }
        known << QLatin1Char('.') + format.suffix;
    }
    throw Error(QStringLiteral("A report can't be written as %1; its name has to end in %2.")
                    .arg(QFileInfo(file).fileName(), known.join(QStringLiteral(" or "))));
}

}  // namespace

QList<Paragraph> paragraphs(const QString& answer)
{
    static const QRegularExpression heading(QStringLiteral(R"(^#{1,6}\s+(.*?)\s*#*$)"));
    static const QRegularExpression item(QStringLiteral(R"(^(\s*)([-*•]|\d{1,3}[.)])\s+(.*)$)"));
    QList<Paragraph> all;
    for (const QString& line : printable(answer).split(QLatin1Char('\n'))) {
        if (line.trimmed().isEmpty()) {
            continue;
        }
        Paragraph one;
        if (const auto match = heading.match(line); match.hasMatch()) {
            one.kind = Paragraph::Kind::Heading;
            one.runs = {{match.captured(1).remove(QStringLiteral("**")), true}};
        } else if (const auto matched = item.match(line); matched.hasMatch()) {
            one.kind = Paragraph::Kind::Item;
            one.depth = int(std::min<qsizetype>(matched.capturedLength(1) / 2, 5));
            const QString marker = matched.captured(2);
            one.marker = marker[0].isDigit() ? marker : QStringLiteral("•");
            one.runs = runsOf(matched.captured(3));
        } else {
            one.runs = runsOf(line);
        }
        all << one;
    }
    return all;
}

QString printable(const QString& text)
{
    QString clean = text;
    clean.replace(QStringLiteral("\r\n"), QStringLiteral("\n"));
    clean.removeIf([](QChar c) {
        const char16_t code = c.unicode();
        return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0) ||
            code == 0xfffe || code == 0xffff;
    });
    return clean;
}

void writeWhole(const QString& file, const QByteArray& bytes)
{
    const QStorageInfo disk(QFileInfo(file).absolutePath());
    QSaveFile save(file);
    // flush: Qt 6.4's commit() does not see that what was still buffered did not fit on the disk.
    if (!save.open(QIODevice::WriteOnly) || save.write(bytes) != bytes.size() || !save.flush() ||
        !save.commit()) {
        // Qt calls a full disk an unknown error.
        const bool full =
            disk.isValid() && !disk.isReadOnly() && disk.bytesAvailable() < bytes.size();
        throw Error(
            full ? QStringLiteral("The report %1 can't be written: it takes %2 and the disk has %3 "
                                  "left.")
                       .arg(file, QLocale().formattedDataSize(bytes.size()),
                            QLocale().formattedDataSize(disk.bytesAvailable()))
                 : QStringLiteral(
                       "The report %1 can't be written: %2. The folder may be missing, full or not "
                       "writable.")
                       .arg(file, save.errorString()));
    }
}

const QList<ReportFormat>& reportFormats()
{
    static const QList<ReportFormat> formats{
        {QStringLiteral("PDF"), QStringLiteral("pdf"), &writePdfReport},
        {QStringLiteral("HTML"), QStringLiteral("html"), &writeHtmlReport},
    };
    return formats;
}

void checkReportFile(const QString& file)
{
    (void)formatOf(file);
    if (const QFileInfo folder(QFileInfo(file).absolutePath()); !folder.isDir()) {
        throw Error(QStringLiteral("The report %1 can't be written: there is no folder %2.")
                        .arg(file, folder.filePath()));
    }
}

void writeReport(const Report& report, const QString& file)
{
    formatOf(file).write(report, file);
}

}  // namespace ui
