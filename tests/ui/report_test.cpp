#include "ui/model/annotate.h"
#include "ui/model/ask.h"
#include "ui/model/error.h"
#include "ui/model/report.h"
#include "ui/model/report_text.h"

#include "support/shared_data.h"

#include <QFile>
#include <QGuiApplication>
#include <QPainter>
#include <QPdfDocument>
#include <QPdfSelection>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <sys/resource.h>

using ui::Turn;

namespace {

constexpr const char* hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;";

QByteArray contents(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// All text of a PDF, pages parted by a form feed.
QString pdfText(const QString& path)
{
    QPdfDocument document;
    if (document.load(path) != QPdfDocument::Error::None) {
        return {};
    }
    QStringList pages;
    for (int i = 0; i < document.pageCount(); ++i) {
        pages << document.getAllText(i).text();
    }
    return pages.join(QLatin1Char('\f')).replace(QStringLiteral("\r\n"), QStringLiteral("\n"));
}

QString simplified(const QString& text)
{
    return text.simplified();
}

QImage gradient(int width, int height)
{
    QImage image(width, height, QImage::Format_RGB888);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            image.setPixel(x, y, qRgb(x * 255 / width, y * 255 / height, 90));
        }
    }
    return image;
}

ui::Attachment pasted(const QString& title, const QImage& pixels, const QRect& region = {})
{
    ui::AttachedFrame frame;
    frame.frame.pixels = pixels;
    frame.region = region;
    frame.title = title;
    ui::Attachment one = ui::makeAttachment(frame);
    one.gridColumns = 2;
    one.gridRows = 1;
    one.tiles = 3;
    one.tokens = 768;
    return one;
}

Turn turn(const QString& question, const QString& answer)
{
    Turn one;
    one.question = question;
    one.answer = answer;
    one.thinking = QStringLiteral("First the colour,\nthen the shape.");
    one.thinkingSeconds = 11.6;
    one.state = ui::TurnState::Done;
    one.asked = QDateTime(QDate(2026, 3, 4), QTime(5, 6, 7), Qt::UTC);
    ui::Provenance& from = one.provenance;
    from.modelName = QStringLiteral("KVL-14B");
    from.modelHash =
        QStringLiteral("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    from.device = QStringLiteral("cpu");
    from.dtype = QStringLiteral("fp32");
    from.program = ui::programName();
    from.systemPreset = QStringLiteral("default");
    from.promptIds = QList<int>(3382, 1);
    from.newIds = QList<int>(120, 2);
    from.visionSeconds = 0.5;
    from.prefillSeconds = 1.5;
    from.firstTokenSeconds = 2.04;
    from.decodeSeconds = 12.5;
    return one;
}

ui::Session session(const QList<Turn>& turns, const QString& title = QStringLiteral("A session"))
{
    ui::Session one;
    one.title = title;
    one.turns = turns;
    return one;
}

/// Rows and columns with any pixel that is not black.
QRect inked(const QImage& image)
{
    QRect rect;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) {
            if (image.pixel(x, y) != qRgb(0, 0, 0)) {
                rect |= QRect(x, y, 1, 1);
            }
        }
    }
    return rect;
}

/// While it lives, no file can grow beyond 1,000 bytes.
class FullDisk {
public:
    FullDisk()
    {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &m_before);
        const rlimit limit{1000, m_before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FullDisk() { setrlimit(RLIMIT_FSIZE, &m_before); }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

private:
    rlimit m_before{};
};

void formats()
{
    QTest::addColumn<QString>("suffix");
    QTest::newRow("pdf") << "pdf";
    QTest::newRow("html") << "html";
}

}  // namespace

class ReportTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    QString m_pdf, m_html;

private Q_SLOTS:
    void init()
    {
        const QString name = m_folder.filePath(QString::fromLatin1(QTest::currentTestFunction()));
        m_pdf = name + QStringLiteral(".pdf");
        m_html = name + QStringLiteral(".html");
    }

    void bothFormatsHoldQuestionAnswerAndProvenance()
    {
        Turn one =
            turn(QStringLiteral("Wo ist der Polyp?"), QStringLiteral("Am Rand — größer als 5 mm."));
        one.attachments << pasted(QStringLiteral("polyp-01.png"), gradient(300, 200),
                                  QRect(50, 40, 200, 100));
        one.boxes << ui::AnswerBox{QStringLiteral("polyp"), 0, QRectF(60, 50, 30.4, 20)};
        const ui::Report report = ui::makeReport(session({one}));
        ui::writeReport(report, m_pdf);
        ui::writeReport(report, m_html);
        const QString pdf = simplified(pdfText(m_pdf));
        const QString html = QString::fromUtf8(contents(m_html));
        for (const char* part :
             {"A session", "Wo ist der Polyp?", "Am Rand — größer als 5 mm.", "polyp-01.png",
              "① polyp: x 60, y 50, 30 × 20 px", "x 50, y 40, 200 × 100 px",
              "2 × 1 tiles + thumbnail", "768 tokens", "KVL-14B", "cpu, fp32", "greedy",
              "3,382 in the prompt, 120 new", "2.04 s to the first token", "KVL Workbench 0.1",
              "2026-03-04T05:06:07Z", "Not for clinical use"}) {
            const QString wanted = QString::fromUtf8(part);
            QVERIFY2(pdf.contains(wanted), part);
            QVERIFY2(html.contains(wanted), part);
        }
        // a hash is longer than a line may be
        QVERIFY(QString(pdf).remove(QLatin1Char(' ')).contains(one.provenance.modelHash));
        QVERIFY(html.contains(one.provenance.modelHash));
    }

    void theHashOfAnAdapterStandsBesideTheModels()
    {
        Turn bare = turn(QStringLiteral("a"), QStringLiteral("A"));
        Turn beside = bare;
        beside.provenance.adapterHash = QStringLiteral("60303ae22b998861bce3b28f33eec1be758a213c");
        const ui::Report report = ui::makeReport(session({bare, beside}));
        ui::writeReport(report, m_pdf);
        ui::writeReport(report, m_html);
        const QString pdf = pdfText(m_pdf), html = QString::fromUtf8(contents(m_html));
        QVERIFY(pdf.contains(beside.provenance.adapterHash));
        QVERIFY(html.contains(beside.provenance.adapterHash));
        // the second question's alone, whose settings are not "as for the question before"
        QCOMPARE(pdf.count(QStringLiteral("Adapter hash")), 1);
        QCOMPARE(html.count(QStringLiteral("Adapter hash")), 1);
        QCOMPARE(pdf.count(bare.provenance.modelName), 2);
    }

    void reasoningIsPrintedOnRequestOnly()
    {
        const ui::Session one = session({turn(QStringLiteral("?"), QStringLiteral("!"))});
        for (const bool wanted : {false, true}) {
            ui::ReportOptions options;
            options.thinking = wanted;
            ui::writeReport(ui::makeReport(one, options), m_pdf);
            ui::writeReport(ui::makeReport(one, options), m_html);
            QCOMPARE(pdfText(m_pdf).contains(QStringLiteral("then the shape")), wanted);
            QCOMPARE(pdfText(m_pdf).contains(QStringLiteral("Reasoning, 12 s")), wanted);
            QCOMPARE(contents(m_html).contains("then the shape"), wanted);
        }
    }

    void provenanceCanBeLeftOut()
    {
        ui::ReportOptions options;
        options.provenance = false;
        options.title = QStringLiteral("Own title");
        ui::writeReport(
            ui::makeReport(session({turn(QStringLiteral("?"), QStringLiteral("!"))}), options),
            m_pdf);
        QVERIFY(!pdfText(m_pdf).contains(QStringLiteral("KVL-14B")));
        QVERIFY(pdfText(m_pdf).contains(QStringLiteral("Own title")));
    }

    void equalSettingsAreSaidOnce()
    {
        Turn second = turn(QStringLiteral("b"), QStringLiteral("B"));
        Turn third = turn(QStringLiteral("c"), QStringLiteral("C"));
        third.provenance.temperature = 0.6;
        third.provenance.seed = 77;
        third.provenance.minP = 0.05;
        third.provenance.repetitionPenalty = 1.1;
        ui::writeReport(ui::makeReport(session(
                            {turn(QStringLiteral("a"), QStringLiteral("A")), second, third})),
                        m_pdf);
        const QString text = simplified(pdfText(m_pdf));
        QCOMPARE(text.count(QStringLiteral("KVL-14B")), 2);
        QCOMPARE(text.count(QStringLiteral("as for the question before")), 1);
        QVERIFY(
            text.contains(QStringLiteral("temperature 0.6, top-k 50, top-p 1, seed 77, min-p 0.05, "
                                         "repetition penalty 1.1")));
    }

    void verificationOfTheEngineThatAnsweredIsSaidOnce()
    {
        const Turn one = turn(QStringLiteral("a"), QStringLiteral("A"));
        Turn elsewhere = turn(QStringLiteral("c"), QStringLiteral("C"));
        elsewhere.provenance.device = QStringLiteral("cuda:7");
        ui::Verification known;
        known.modelHash = one.provenance.modelHash;
        known.device = one.provenance.device;
        known.dtype = one.provenance.dtype;
        known.program = one.provenance.program;
        known.line = QStringLiteral("Engine verified: 30 of 30 checks passed <here>");
        known.when = QDateTime::fromString(QStringLiteral("2026-11-28T18:00:00"), Qt::ISODate);
        ui::ReportOptions options;
        options.verifications = {known};
        const ui::Report report = ui::makeReport(session({one, one, elsewhere}), options);
        ui::writeReport(report, m_pdf);
        ui::writeReport(report, m_html);
        const QString line =
            QStringLiteral("Engine verified: 30 of 30 checks passed <here> (on 2026-11-28)");
        QCOMPARE(simplified(pdfText(m_pdf)).count(line), 1);
        QCOMPARE(QString::fromUtf8(contents(m_html)).count(line.toHtmlEscaped()), 1);
    }

    void noTextCanBecomeMarkup()
    {
        const QString evil = QString::fromLatin1(hostile);
        Turn one = turn(evil,
                        QStringLiteral("**") + evil + QStringLiteral("**\n- ") + evil +
                            QStringLiteral("\n# ") + evil);
        one.thinking = evil + QStringLiteral("</div></details>");
        one.state = ui::TurnState::Failed;
        one.error = evil;
        one.provenance.modelName = evil;
        one.provenance.systemPreset = QStringLiteral("own");
        one.provenance.systemText = evil;
        one.attachments << pasted(evil, gradient(30, 20));
        one.attachments[0].window = evil;
        one.boxes << ui::AnswerBox{evil, 0, QRectF(1, 1, 5, 5)};
        ui::ReportOptions options;
        options.thinking = true;
        ui::writeReport(ui::makeReport(session({one}, evil), options), m_html);
        const QString html = QString::fromUtf8(contents(m_html));
        QVERIFY(!html.contains(QStringLiteral("<script"), Qt::CaseInsensitive));
        QVERIFY(!html.contains(QStringLiteral("<img src=x")));
        QVERIFY(html.count(QStringLiteral("&lt;script&gt;")) >= 11);
        // Every tag is one of ours, with nothing but our attributes.
        static const QRegularExpression tag(QStringLiteral("<[^>]*>"));
        static const QRegularExpression ours(QStringLiteral(
            R"(^<(!DOCTYPE html|/?(html|head|body|title|style|h1|h2|h3|p|section|figure|figcaption|details|summary|div|span|strong|table|tr|th|td|footer)( (lang="en"|class="[a-z0-9 -]+"|open|scope="row"))*|meta [^>]*|img src="data:image/png;base64,[A-Za-z0-9+/=]+" alt="[^"<>]*")>$)"));
        for (auto tags = tag.globalMatch(html); tags.hasNext();) {
            const QString found = tags.next().captured();
            QVERIFY2(ours.match(found).hasMatch(), qPrintable(found.left(200)));
        }
    }

    void aPatientsNameWithHtmlStaysText()
    {
        const auto shared = test::sharedData();
        if (!shared) {
            QSKIP(test::missingSharedData);
        }
        const QString file =
            QString::fromStdString((*shared / "data/dicom/malformed/name-html.dcm").string());
        std::vector<std::unique_ptr<ui::Document>> documents;
        documents = ui::openDocuments(file);
        QVERIFY(!documents.empty());
        const ui::Frame frame = documents[0]->frame(0);
        QStringList told{documents[0]->title(), documents[0]->subtitle(), frame.label};
        told += frame.corner;
        for (const ui::Property& property : documents[0]->properties(0)) {
            told << property.value;
        }
        const QString all = told.join(QLatin1Char(' '));
        QVERIFY2(all.contains(QLatin1Char('<')), "the file has HTML in a name");
        ui::AttachedFrame attached;
        attached.frame = frame;
        attached.title = all;
        Turn one = turn(all, all);
        one.attachments << ui::makeAttachment(attached);
        ui::writeReport(ui::makeReport(session({one}, all)), m_html);
        const QString html = QString::fromUtf8(contents(m_html));
        QVERIFY(!html.contains(QStringLiteral("<script"), Qt::CaseInsensitive));
        static const QRegularExpression handler(QStringLiteral("<[^>]*\\son[a-z]+="),
                                                QRegularExpression::CaseInsensitiveOption);
        QVERIFY(!html.contains(handler));
        QCOMPARE(html.count(QStringLiteral("<img ")), 1);
    }

    void theHtmlFetchesNothing()
    {
        Turn one = turn(QStringLiteral("?"), QStringLiteral("see https://example.org/x.png"));
        one.attachments << pasted(QStringLiteral("x"), gradient(30, 20));
        ui::writeReport(ui::makeReport(session({one})), m_html);
        const QString html = QString::fromUtf8(contents(m_html));
        QVERIFY(html.contains(QStringLiteral("Content-Security-Policy")));
        QVERIFY(html.contains(QStringLiteral("default-src 'none'")));
        QVERIFY(!html.contains(QRegularExpression(QStringLiteral("(src|href)=\"(?!data:)"))));
        QVERIFY(!html.contains(QStringLiteral("url(")));
        QVERIFY(!html.contains(QStringLiteral("@import")));
    }

    void everyPageSaysWhatItIsNotFor()
    {
        QString answer;
        for (int i = 1; i <= 300; ++i) {
            answer += QStringLiteral("Line %1 of a long answer that goes on.\n").arg(i);
        }
        ui::writeReport(ui::makeReport(session({turn(QStringLiteral("?"), answer)})), m_pdf);
        const QStringList pages = pdfText(m_pdf).split(QLatin1Char('\f'));
        QVERIFY(pages.size() > 3);
        for (int i = 0; i < pages.size(); ++i) {
            QVERIFY(pages[i].contains(QStringLiteral("Not for clinical use")));
            QVERIFY(
                pages[i].contains(QStringLiteral("Page %1 of %2").arg(i + 1).arg(pages.size())));
        }
        const QString all = pages.join(QLatin1Char('\n'));
        for (int i = 1; i <= 300; ++i) {
            QCOMPARE(all.count(QStringLiteral("Line %1 of").arg(i)), 1);
        }
    }

    void aQuestionLongerThanAPageIsPrintedWhole()
    {
        QString question;
        for (int i = 1; i <= 200; ++i) {
            question += QStringLiteral("Q%1.\n").arg(i);
        }
        ui::writeReport(ui::makeReport(session({turn(question, QStringLiteral("A"))})), m_pdf);
        const QString text = pdfText(m_pdf);
        for (int i = 1; i <= 200; ++i) {
            QVERIFY(text.contains(QStringLiteral("Q%1.").arg(i)));
        }
    }

    void fontsAreInThePdf()
    {
        ui::writeReport(ui::makeReport(session({turn(QStringLiteral("?"),
                                                     QStringLiteral("Ελληνικά, Кириллица, áçñ"))})),
                        m_pdf);
        const QByteArray pdf = contents(m_pdf);
        QVERIFY(pdf.contains("/FontFile2") || pdf.contains("/FontFile3"));
        QVERIFY(pdfText(m_pdf).contains(QStringLiteral("Ελληνικά, Кириллица, áçñ")));
    }

    void aFrameThatIsGoneLeavesItsCaptionWithTheReason()
    {
        Turn one = turn(QStringLiteral("?"), QStringLiteral("!"));
        ui::Attachment gone = pasted(QStringLiteral("gone.png"), gradient(30, 20));
        gone.picture = {};
        gone.frame.file = m_folder.filePath(QStringLiteral("gone.png"));
        one.attachments << gone;
        const ui::Report report = ui::makeReport(session({one}));
        QVERIFY(report.turns[0].pictures[0].image.isNull());
        QVERIFY(report.turns[0].pictures[0].caption.contains(QStringLiteral("no longer there")));
        ui::writeReport(report, m_pdf);
        QVERIFY(simplified(pdfText(m_pdf)).contains(QStringLiteral("Picture missing")));
    }

    void aLaterAnswersBoxesShowThePictureAgain()
    {
        Turn first = turn(QStringLiteral("a"), QStringLiteral("A"));
        first.attachments << pasted(QStringLiteral("one"), gradient(30, 20))
                          << pasted(QStringLiteral("two"), gradient(31, 20));
        Turn second = turn(QStringLiteral("b"), QStringLiteral("B"));
        second.boxes << ui::AnswerBox{QStringLiteral("x"), 0, QRectF(1, 1, 5, 5)}
                     << ui::AnswerBox{QStringLiteral("y"), 1, QRectF(2, 2, 5, 5)};
        const ui::Report report = ui::makeReport(
            session({first, second, turn(QStringLiteral("c"), QStringLiteral("C"))}));
        QCOMPARE(report.turns[0].pictures.size(), 2);
        QCOMPARE(report.turns[1].pictures.size(), 2);
        QVERIFY(report.turns[1].pictures[1].caption.contains(
            QStringLiteral("② y")));  // numbered through the answer
        QCOMPARE(report.turns[2].pictures.size(), 0);
    }

    void statesAreSaid()
    {
        Turn failed = turn(QStringLiteral("a"), {});
        failed.state = ui::TurnState::Failed;
        failed.error = QStringLiteral("No memory.");
        Turn cut = turn(QStringLiteral("b"), QStringLiteral("B"));
        cut.state = ui::TurnState::TokenLimit;
        cut.provenance.demonstration = true;
        Turn stopped = turn(QStringLiteral("c"), QStringLiteral("C"));
        stopped.state = ui::TurnState::Stopped;
        const ui::Report report = ui::makeReport(session({failed, cut, stopped}));
        QCOMPARE(report.turns[0].note, QStringLiteral("No answer: No memory."));
        QCOMPARE(report.turns[1].note,
                 QStringLiteral("Cut at the limit of 1,024 new tokens. Demonstration model: "
                                "synthetic images only."));
        QCOMPARE(report.turns[2].note, QStringLiteral("Stopped before the end."));
    }

    /// To look at: KVL_KEEP=<folder> keeps both files.
    void realPicturesAreDrawnAtTheirPlaces()
    {
        const auto shared = test::sharedData();
        if (!shared) {
            QSKIP(test::missingSharedData);
        }
        const auto attach = [&](const char* path, const QRect& region,
                                const ui::FrameOptions& options = {}) {
            const QString file = QString::fromStdString((*shared / "data" / path).string());
            const auto documents = ui::openDocuments(file);
            ui::AttachedFrame one;
            one.frame = documents.at(0)->frame(0, options);
            one.options = options;
            one.region = region;
            one.title = QFileInfo(file).fileName();
            return ui::makeAttachment(one);
        };
        Turn first = turn(
            QStringLiteral("Is there a polyp? Say where, how large it is, and how sure you are."),
            QStringLiteral("## Findings\nThere are **two** polyps:\n\n- polyp[[153, 240, 402, "
                           "611]]: sessile, smooth\n"
                           "- polyp[[602, 540, 801, 811]]\n  - nearer to the camera\n\nThe size in "
                           "millimetres cannot be "
                           "told from the picture: it carries no scale. 大小 unknown."));
        first.attachments << attach("endoscopy/polyp-04-two.png", {});
        const QSize size = first.attachments[0].frameSize;
        first.boxes << ui::AnswerBox{QStringLiteral("polyp"), 0,
                                     QRectF(0.15 * size.width(), 0.24 * size.height(), 120, 110)}
                    << ui::AnswerBox{QStringLiteral("polyp, nearer"), 0,
                                     QRectF(0.6 * size.width(), 0.54 * size.height(), 90, 90)};
        Turn second = turn(
            QStringLiteral("Compare these two. What is in the marked region of the CT?"),
            QStringLiteral(
                "The region holds the vertebral body. Both pictures are of different patients."));
        ui::FrameOptions options;
        options.window = ui::WindowLevel{40, 400};
        second.attachments << attach("dicom/CT_small.dcm", QRect(40, 50, 50, 40), options)
                           << attach("figures/diabetologia-06103_fig_traces-bars.png", {});
        second.boxes << ui::AnswerBox{QStringLiteral("vertebra"), 1, QRectF(50, 60, 25, 20)};
        second.state = ui::TurnState::TokenLimit;
        ui::ReportOptions reportOptions;
        reportOptions.thinking = true;
        const ui::Report report = ui::makeReport(
            session({first, second}, QStringLiteral("Two polyps, and a question about a CT")),
            reportOptions);
        QCOMPARE(report.turns[1].pictures.size(), 2);
        const QString keep = qEnvironmentVariable("KVL_KEEP");
        if (!keep.isEmpty()) {
            m_pdf = keep + QStringLiteral("/report.pdf");
            m_html = keep + QStringLiteral("/report.html");
        }
        ui::writeReport(report, m_pdf);
        ui::writeReport(report, m_html);
        QVERIFY(simplified(pdfText(m_pdf)).contains(QStringLiteral("C 40 W 400")));
        QCOMPARE(contents(m_html).count("<img "), 3);
        // What is drawn for a box leaves the pixels within it as they were.
        const QImage drawn = report.turns[0].pictures[0].image;
        const QImage plain = ui::drawAnnotations(ui::FrameReader().read(first.attachments[0]), {},
                                                 0, {}, double(drawn.width()) / size.width());
        const QRectF box = first.boxes[0].rect;
        const double scale = double(drawn.width()) / size.width();
        const QRect inside =
            QRectF(box.topLeft() * scale, box.size() * scale).toRect().adjusted(1, 1, -1, -1);
        QCOMPARE(drawn.copy(inside), plain.copy(inside));
    }

    void aStopRequestEndsIt()
    {
        Turn one = turn(QStringLiteral("a"), {});
        one.attachments << pasted(QStringLiteral("one"), gradient(30, 20));
        std::stop_source stop;
        stop.request_stop();
        QVERIFY_EXCEPTION_THROWN(ui::makeReport(session({one}), {}, stop.get_token()), ui::Error);
    }

    void aPlaceThatCantBeWrittenIsSaid_data() { formats(); }
    void aPlaceThatCantBeWrittenIsSaid()
    {
        QFETCH(QString, suffix);
        const ui::Report report =
            ui::makeReport(session({turn(QStringLiteral("?"), QStringLiteral("!"))}));
        // A folder that is not there; a name taken by a folder.
        QVERIFY(QDir(m_folder.path()).mkpath(QStringLiteral("taken.") + suffix));
        for (const QString& file : {m_folder.filePath(QStringLiteral("no/such/report.") + suffix),
                                    m_folder.filePath(QStringLiteral("taken.") + suffix)}) {
            try {
                ui::writeReport(report, file);
                QFAIL(qPrintable(file));
            } catch (const ui::Error& error) {
                QVERIFY2(error.sentence().contains(file) &&
                             error.sentence().contains(QStringLiteral("can't be written")),
                         qPrintable(error.sentence()));
            }
        }
    }

    void aWriteThatFailsHalfwayLeavesTheEarlierFile_data() { formats(); }
    void aWriteThatFailsHalfwayLeavesTheEarlierFile()
    {
        QFETCH(QString, suffix);
        const QString file = m_folder.filePath(QStringLiteral("earlier.") + suffix);
        ui::writeWhole(file, "earlier");
        const ui::Report report =
            ui::makeReport(session({turn(QStringLiteral("?"), QStringLiteral("!"))}));
        bool said = false;
        {
            const FullDisk full;
            try {
                ui::writeReport(report, file);
            } catch (const ui::Error&) {
                said = true;
            }
        }
        QVERIFY(said);
        QCOMPARE(contents(file), QByteArray("earlier"));
        QCOMPARE(QDir(m_folder.path())
                     .entryList({QStringLiteral("earlier.") + suffix + QLatin1Char('*')})
                     .size(),
                 1);
    }

    void anUnknownSuffixListsTheFormats()
    {
        try {
            ui::writeReport({}, m_folder.filePath(QStringLiteral("report.docx")));
            QFAIL("no error");
        } catch (const ui::Error& error) {
            QVERIFY(error.sentence().contains(QStringLiteral(".pdf or .html")));
        }
        ui::writeReport(ui::makeReport(session({})),
                        m_folder.filePath(QStringLiteral("REPORT.PDF")));
    }

    void littleMarkdownIsRead()
    {
        const auto all = ui::paragraphs(
            QStringLiteral("## Findings\n\nA **bold** word, 2 ** 3.\n- one\n  - two\n3. three\n"
                           "-5 HU\r\n**open\x01"));
        using Kind = ui::Paragraph::Kind;
        const QList<ui::Paragraph> expected{
            {Kind::Heading, {}, 0, {{QStringLiteral("Findings"), true}}},
            {Kind::Plain,
             {},
             0,
             {{QStringLiteral("A "), false},
              {QStringLiteral("bold"), true},
              {QStringLiteral(" word, 2 ** 3."), false}}},
            {Kind::Item, QStringLiteral("•"), 0, {{QStringLiteral("one"), false}}},
            {Kind::Item, QStringLiteral("•"), 1, {{QStringLiteral("two"), false}}},
            {Kind::Item, QStringLiteral("3."), 0, {{QStringLiteral("three"), false}}},
            {Kind::Plain, {}, 0, {{QStringLiteral("-5 HU"), false}}},
            {Kind::Plain, {}, 0, {{QStringLiteral("**open"), false}}},
        };
        QVERIFY(all == expected);
    }

    void aBoxCoversNoneOfThePixelsItPointsAt()
    {
        QImage black(200, 150, QImage::Format_RGB888);
        black.fill(Qt::black);
        const QRect box(60, 50, 70, 40);
        const QImage drawn =
            ui::drawAnnotations(black, {{QStringLiteral("x"), 0, box}}, 0, {}, 1, 1);
        QVERIFY(inked(drawn.copy(box)).isNull());
        QVERIFY(!inked(drawn).isNull());
        QVERIFY(inked(drawn).adjusted(-1, -1, 1, 1).contains(box));
    }

    void aBoxIsSeenOnWhiteAndOnBlack_data()
    {
        QTest::addColumn<QColor>("ground");
        QTest::newRow("black") << QColor(Qt::black);
        QTest::newRow("white") << QColor(Qt::white);
        QTest::newRow("its own colour") << ui::annotationColor(0);
    }
    void aBoxIsSeenOnWhiteAndOnBlack()
    {
        QFETCH(QColor, ground);
        QImage image(100, 100, QImage::Format_RGB888);
        image.fill(ground);
        const QImage drawn =
            ui::drawAnnotations(image, {{QString(), 0, QRectF(30, 40, 30, 30)}}, 0, {});
        // across the right side of the box: somewhere there is a strong step
        int least = 255, most = 0;
        for (int x = 58; x < 70; ++x) {
            const int gray = qGray(drawn.pixel(x, 55));
            least = std::min(least, gray);
            most = std::max(most, gray);
        }
        QVERIFY2(most - least > 80, qPrintable(QStringLiteral("%1 %2").arg(least).arg(most)));
    }

    void numbersStayOnThePictureAndApart()
    {
        QImage black(300, 300, QImage::Format_RGB888);
        black.fill(Qt::black);
        QList<ui::AnswerBox> boxes;
        for (int i = 0; i < 12; ++i) {
            boxes << ui::AnswerBox{QString(), 0, QRectF(i % 4 * 75, i / 4 * 100, 40, 60)};
        }
        const QImage drawn = ui::drawAnnotations(black, boxes, 0, {});
        QCOMPARE(drawn.size(), black.size());
        for (int i = 0; i < boxes.size(); ++i) {
            // A disk's worth of the box's colour is somewhere beside the box, and none inside.
            const QRect inside = boxes[i].rect.toRect();
            for (int other = 0; other < boxes.size(); ++other) {
                QVERIFY(inked(drawn.copy(boxes[other].rect.toRect())).isNull());
            }
            const QRect around = inside.adjusted(-24, -24, 24, 24);
            int filled = 0;
            for (int y = std::max(0, around.top()); y < std::min(300, around.bottom()); ++y) {
                for (int x = std::max(0, around.left()); x < std::min(300, around.right()); ++x) {
                    filled += QColor(drawn.pixel(x, y)) == ui::annotationColor(i) ? 1 : 0;
                }
            }
            QVERIFY2(filled > 120, qPrintable(QStringLiteral("%1: %2").arg(i).arg(filled)));
        }
    }

    void scaleAndOtherPicturesBoxesAreRespected()
    {
        QImage black(50, 40, QImage::Format_RGB888);
        black.fill(Qt::black);
        const QList<ui::AnswerBox> boxes{{QString(), 1, QRectF(1, 1, 5, 5)},
                                         {QString(), 0, QRectF(20, 20, 10, 10)}};
        const QImage drawn = ui::drawAnnotations(black, boxes, 0, {}, 4);
        QCOMPARE(drawn.size(), QSize(200, 160));
        QVERIFY(inked(drawn.copy(80, 80, 40, 40)).isNull());
        QVERIFY(inked(drawn.copy(0, 0, 40, 40)).isNull());
        QVERIFY(!inked(drawn.copy(74, 74, 60, 60)).isNull());
        QCOMPARE(inked(ui::drawAnnotations(black, {boxes[0]}, 0, {})), QRect());
        QVERIFY(!inked(ui::drawAnnotations(black, {}, 0, QRect(10, 10, 20, 20))).isNull());
    }
};

QTEST_MAIN(ReportTest)
#include "report_test.moc"
