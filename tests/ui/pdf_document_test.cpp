#include "support/shared_data.h"
#include "ui/model/ask.h"
#include "ui/model/pdf_document.h"

#include <QBuffer>
#include <QFile>
#include <QGuiApplication>
#include <QPainter>
#include <QPdfWriter>
#include <QTemporaryDir>
#include <QTest>

using namespace ui;

namespace {

QByteArray bytesOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// Two A6 pages; the left half of the first is black, of the second red.
QByteArray smallPdf(const QString& title = {})
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    {
        QPdfWriter writer(&buffer);
        writer.setTitle(title);
        writer.setPageLayout(QPageLayout(QPageSize(QPageSize::A6), QPageLayout::Portrait, {}));
        writer.setResolution(72);
        QPainter painter(&writer);
        const QRectF half(0, 0, writer.width() / 2.0, writer.height());
        painter.fillRect(half, Qt::black);
        writer.newPage();
        painter.fillRect(half, Qt::red);
    }
    return buffer.data();
}

}  // namespace

class PdfDocumentTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    QString write(const QString& name, const QByteArray& bytes)
    {
        QFile file(m_folder.filePath(name));
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
            qFatal("can't write %s", qPrintable(name));
        }
        return file.fileName();
    }

    static QString shared(const char* name)
    {
        const auto folder = test::sharedData();
        return folder ? QString::fromStdString((*folder / "data/pdf" / name).string()) : QString();
    }

private Q_SLOTS:
    void aPageIsDrawnOnWhiteWithItsLongSideAt2000()
    {
        QCOMPARE(PdfDocument::pixelSize({595.276, 841.89}), QSize(1414, 2000));  // A4
        QCOMPARE(PdfDocument::pixelSize({792, 612}), QSize(2000, 1545));  // US letter, turned
        QCOMPARE(PdfDocument::pixelSize({72, 36}), QSize(300, 150));      // 300 dpi at most
        QCOMPARE(PdfDocument::pixelSize({14400, 14400}),
                 QSize(2000, 2000));  // the largest there is
        QCOMPARE(PdfDocument::pixelSize({1e9, 0.001}), QSize(2000, 1));
        QCOMPARE(PdfDocument::pixelSize({0, -1}), QSize(1, 1));

        PdfDocument document(write(QStringLiteral("small.pdf"), smallPdf()));
        QCOMPARE(document.frameCount(), 2);
        QCOMPARE(document.frameNoun(), QStringLiteral("page"));
        const Frame frame = document.frame(0);
        QCOMPARE(frame.pixels.format(), QImage::Format_RGB888);
        QVERIFY(std::abs(frame.pixels.height() - 1749) <= 4);  // 148 mm at 300 dpi
        QCOMPARE(frame.pixels.pixel(20, 900), qRgb(0, 0, 0));
        QCOMPARE(frame.pixels.pixel(frame.pixels.width() - 20, 900), qRgb(255, 255, 255));
        QCOMPARE(document.frame(1).pixels.pixel(20, 900), qRgb(255, 0, 0));
        QVERIFY(frame.shown.isNull());
        QCOMPARE(frame.label, QStringLiteral("page 1 of 2"));
        QCOMPARE(document.frame(1).ref.index, 1);
    }

    void drawingTwiceGivesTheSameBytes()
    {
        PdfDocument document(write(QStringLiteral("twice.pdf"), smallPdf()));
        const QImage first = document.frame(1).pixels;
        (void)document.frame(0);
        QCOMPARE(document.frame(1).pixels, first);
    }

    void theTitleIsTheDocumentsOwnOrTheFilesName()
    {
        QCOMPARE(PdfDocument(
                     write(QStringLiteral("a.pdf"), smallPdf(QStringLiteral("A title\nin lines"))))
                     .title(),
                 QStringLiteral("A title in lines"));
        QCOMPARE(PdfDocument(write(QStringLiteral("b.pdf"), smallPdf())).title(),
                 QStringLiteral("b.pdf"));
        QCOMPARE(PdfDocument(smallPdf(), QStringLiteral("/x/holder.dcm"), QStringLiteral("Given"))
                     .title(),
                 QStringLiteral("Given"));
    }

    void aPageThatIsNotThereIsAnError()
    {
        PdfDocument document(write(QStringLiteral("few.pdf"), smallPdf()));
        QVERIFY_EXCEPTION_THROWN(document.frame(2), DocumentError);
        QVERIFY_EXCEPTION_THROWN(document.frame(-1), DocumentError);
        QVERIFY_EXCEPTION_THROWN(document.thumbnail(7, 96), DocumentError);
    }

    void thumbnailsAreDrawnSmall()
    {
        PdfDocument document(write(QStringLiteral("thumb.pdf"), smallPdf()));
        const QImage small = document.thumbnail(0, 96);
        QCOMPARE(small.height(), 96);
        QVERIFY(small.width() < 75);
        QCOMPARE(small.pixel(5, 48), qRgb(0, 0, 0));
    }

    void aFileCutAnywhereIsRefusedOrDrawnButNeverCrashes()
    {
        const QByteArray whole = smallPdf();
        int refused = 0;
        for (qsizetype length = 0; length < whole.size(); length += 97) {
            try {
                PdfDocument document(whole.left(length), QStringLiteral("cut.pdf"),
                                     QStringLiteral("cut"));
                (void)document.thumbnail(0, 32);
            } catch (const DocumentError& error) {
                ++refused;
                QVERIFY(error.sentence().contains(QStringLiteral("cut")));
            }
        }
        QVERIFY(refused > 5);
    }

    void brokenFilesSayWhatTheyAre()
    {
        if (!test::sharedData()) {
            QSKIP(test::missingSharedData);
        }
        for (const char* name : {"not-a-pdf.pdf", "truncated.pdf"}) {
            try {
                PdfDocument document(shared(name));
                QFAIL(name);
            } catch (const PasswordNeeded&) {
                QFAIL("asks for a password");
            } catch (const DocumentError& error) {
                QVERIFY2(error.sentence().contains(QStringLiteral("is not a readable PDF")),
                         error.what());
            }
        }
    }

    void aPasswordIsAskedForAndChecked()
    {
        if (!test::sharedData()) {
            QSKIP(test::missingSharedData);
        }
        const QString path = shared("encrypted-aes256.pdf");
        try {
            PdfDocument document(path);
            QFAIL("opened without");
        } catch (const PasswordNeeded& needed) {
            QVERIFY(needed.sentence().contains(QStringLiteral("needs its password")));
        }
        try {
            PdfDocument document(path, QStringLiteral("wrong"));
            QFAIL("opened with a wrong one");
        } catch (const PasswordNeeded& needed) {
            QVERIFY(needed.sentence().contains(QStringLiteral("This password does not open")));
        }
        PdfDocument document(path, QStringLiteral("kvl-test"));
        QCOMPARE(document.frameCount(), 30);
        QVERIFY(!document.frame(0).pixels.isNull());
        QCOMPARE(PdfDocument(shared("protected.pdf")).frameCount(), 1);
    }

    void anEncryptedPageIsReadAgainForTheReport()
    {
        if (!test::sharedData()) {
            QSKIP(test::missingSharedData);
        }
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("paper.pdf"));
        QVERIFY(QFile::copy(shared("encrypted-aes256.pdf"), path));
        Attachment page;
        page.frame.file = path;
        page.frame.index = 3;
        QVERIFY_EXCEPTION_THROWN(FrameReader().read(page), PasswordNeeded);
        OpenOptions options;
        options.password = QStringLiteral("wrong");
        QVERIFY_EXCEPTION_THROWN(openDocuments(path, options), PasswordNeeded);
        QVERIFY_EXCEPTION_THROWN(FrameReader().read(page), PasswordNeeded);
        options.password = QStringLiteral("kvl-test");
        const QImage shown = openDocuments(path, options).front()->frame(3).pixels;
        page.frameSize = shown.size();
        QCOMPARE(FrameReader().read(page), shown);
        QVERIFY_EXCEPTION_THROWN(openDocuments(path), PasswordNeeded);  // who opens it is asked
    }

    /// pdf_pages.tsv is made by tests/reference/make_pages.py with MuPDF.
    void pagesLookAsMuPdfDrawsThem_data()
    {
        QTest::addColumn<QList<QByteArray>>("cells");
        for (const QByteArray& line :
             bytesOf(QStringLiteral(KVL_TEST_DATA "/pdf_pages.tsv")).split('\n')) {
            if (!line.isEmpty()) {
                QTest::addRow("%s", line.split('\t').value(0).constData()) << line.split('\t');
            }
        }
    }
    void pagesLookAsMuPdfDrawsThem()
    {
        if (!test::sharedData()) {
            QSKIP(test::missingSharedData);
        }
        QFETCH(QList<QByteArray>, cells);
        PdfDocument document(shared(cells[0].constData()));
        const QImage page = document.frame(cells[1].toInt()).pixels;
        QCOMPARE(page.size(), QSize(cells[2].toInt(), cells[3].toInt()));
        for (int cell = 0; cell < 64; ++cell) {
            const int left = cell % 8 * page.width() / 8, right = (cell % 8 + 1) * page.width() / 8;
            const int top = cell / 8 * page.height() / 8,
                      bottom = (cell / 8 + 1) * page.height() / 8;
            double sum = 0;
            for (int y = top; y < bottom; ++y) {
                for (int x = left; x < right; ++x) {
                    const uchar* pixel = page.constScanLine(y) + 3 * x;
                    sum += (pixel[0] + pixel[1] + pixel[2]) / 3.0;
                }
            }
            const double mean = sum / ((right - left) * (bottom - top));
            // Two programs hint and smooth text differently; a missing figure or word is far more.
            QVERIFY2(std::abs(mean - cells[4 + cell].toDouble()) < 6,
                     qPrintable(QStringLiteral("cell %1: %2").arg(cell).arg(mean)));
        }
    }

    void sharedPapersNameThemselves()
    {
        if (!test::sharedData()) {
            QSKIP(test::missingSharedData);
        }
        PdfDocument document(shared("s41467-024-44806-1.pdf"));
        QVERIFY(
            document.title().startsWith(QStringLiteral("Evolution of optimal growth temperature")));
        QCOMPARE(document.subtitle(), QStringLiteral("PDF · 7 pages · 210 × 279 mm"));
        QVERIFY(document.properties(0).size() > 5);
    }
};

QTEST_MAIN(PdfDocumentTest)
#include "pdf_document_test.moc"
