#include "support/shared_data.h"
#include "ui/model/document.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace ui;

namespace {

QString own(const char* name)
{
    return QStringLiteral(KVL_TEST_DATA "/images/") + QString::fromLatin1(name);
}

QString sentenceOf(const QString& path)
{
    try {
        openDocuments(path);
    } catch (const DocumentError& error) {
        return error.sentence();
    }
    return {};
}

}  // namespace

class DocumentKindsTest : public QObject {
    Q_OBJECT

    static QString write(const QTemporaryDir& folder, const QString& name, const QByteArray& bytes)
    {
        QDir().mkpath(QFileInfo(folder.filePath(name)).path());
        QFile file(folder.filePath(name));
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
            qFatal("can't write %s", qPrintable(name));
        }
        return file.fileName();
    }

private Q_SLOTS:
    void theContentDecidesNotTheName()
    {
        const QTemporaryDir folder;
        for (const char* name :
             {"picture.dcm", "picture.pdf", "picture.mp4", "picture", "picture.txt"}) {
            const QString path = folder.filePath(QString::fromLatin1(name));
            QVERIFY(QFile::copy(own("rgb8.png"), path));
            const auto documents = openDocuments(path);
            QCOMPARE(documents.size(), size_t(1));
            QVERIFY(documents[0]->subtitle().startsWith(QStringLiteral("PNG")));
            QCOMPARE(documents[0]->path(), path);
        }
    }

    void sharedFilesOpenByContent_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("subtitle");
        const std::pair<const char*, const char*> files[] = {
            {"images/wrong-extension.jpg", "PNG"},
            {"dicom/malformed/png.dcm", "PNG"},
            {"images/still.webp", "WebP"},
            {"images/lzw.tif", "TIFF"},
            {"pathology/small.svs", "TIFF"},
            {"dicom/CT_small.dcm", "DICOM"},
            {"dicom/rtstruct.dcm", "DICOM"},
            {"dicom/no_meta.dcm", "DICOM"},
            {"endoscopy/zoom.mp4", "Video"},
            {"endoscopy/hyperkvasir-grid.webm", "Video"},
            {"pdf/protected.pdf", "PDF"},
            {"dicom/encapsulated-pdf.dcm", "PDF"},
            {"dicom/video-endoscopic-h264.dcm", "Video"},
        };
        for (const auto& [file, subtitle] : files) {
            QTest::addRow("%s", file) << QString::fromLatin1(file) << QString::fromLatin1(subtitle);
        }
    }
    void sharedFilesOpenByContent()
    {
        const auto shared = test::sharedData();
        if (!shared) {
            QSKIP(test::missingSharedData);
        }
        QFETCH(QString, file);
        QFETCH(QString, subtitle);
        const auto documents =
            openDocuments(QString::fromStdString((*shared / "data").string()) + u'/' + file);
        QCOMPARE(documents.size(), size_t(1));
        QVERIFY2(documents[0]->subtitle().startsWith(subtitle),
                 qPrintable(documents[0]->subtitle()));
    }

    void whatDoesNotOpenSaysWhy()
    {
        const QTemporaryDir folder;
        QVERIFY(sentenceOf(folder.filePath(QStringLiteral("none.png")))
                    .startsWith(QStringLiteral("There is no file or folder ")));
        QVERIFY(sentenceOf(write(folder, QStringLiteral("empty.dcm"), {}))
                    .contains(QStringLiteral("is empty (0 bytes)")));
        QVERIFY(sentenceOf(write(folder, QStringLiteral("notes.dcm"), "Dear colleague,\n"))
                    .contains(QStringLiteral("is a text file")));
        QVERIFY(sentenceOf(
                    write(folder, QStringLiteral("noise.bin"), QByteArray("\1\2\3\4\5\6\7\0", 8)))
                    .contains(QStringLiteral("is of an unknown kind")));
        const QByteArray heic("\0\0\0\x18"
                              "ftypheic",
                              12);
        QVERIFY(
            sentenceOf(write(folder, QStringLiteral("phone.heic"), heic + QByteArray(100, '\0')))
                .contains(QStringLiteral("HEIF or AVIF")));
        QVERIFY(sentenceOf(QStringLiteral("/dev/null"))
                    .contains(QStringLiteral("is a device or a pipe")));
        QVERIFY(sentenceOf(own("cut.gif"))
                    .isEmpty());  // opens; its only frame is refused when it is read
    }

    void aFolderOfPicturesOpensInTheOrderOfItsNumbers()
    {
        const QTemporaryDir folder;
        for (const char* name : {"slice10.png", "slice9.png", "slice100.png"}) {
            QVERIFY(QFile::copy(own("rgb8.png"), folder.filePath(QString::fromLatin1(name))));
        }
        write(folder, QStringLiteral("readme.txt"), "text");
        const auto documents = openDocuments(folder.path());
        QCOMPARE(documents.size(), size_t(3));
        QCOMPARE(documents[0]->title(), QStringLiteral("slice9.png"));
        QCOMPARE(documents[1]->title(), QStringLiteral("slice10.png"));
        QCOMPARE(documents[2]->title(), QStringLiteral("slice100.png"));
    }

    void aFolderWithNothingToOpenSaysWhatItHas()
    {
        const QTemporaryDir empty, texts, broken;
        QVERIFY(sentenceOf(empty.path()).contains(QStringLiteral("has no files")));
        write(texts, QStringLiteral("a.txt"), "a");
        write(texts, QStringLiteral("b.txt"), "b");
        QVERIFY(sentenceOf(texts.path()).contains(QStringLiteral("has 2 files, but no picture")));
        QFile png(own("rgb8.png"));
        QVERIFY(png.open(QIODevice::ReadOnly));
        write(broken, QStringLiteral("cut.png"), png.read(20));
        QVERIFY(sentenceOf(broken.path()).contains(QStringLiteral("damaged or incomplete PNG")));
    }

    void aModelFolderPointsToTheModelPanel()
    {
        const QTemporaryDir folder;
        write(folder, QStringLiteral("config.json"), "{}");
        write(folder, QStringLiteral("model-00001-of-00002.safetensors"), "x");
        QVERIFY(sentenceOf(folder.path())
                    .endsWith(
                        QStringLiteral("is a model, not a document; load it in the model panel.")));
    }

    void aDicomFolderGivesOneDocumentASeries()
    {
        const auto shared = test::sharedData();
        if (!shared) {
            QSKIP(test::missingSharedData);
        }
        const auto documents =
            openDocuments(QString::fromStdString((*shared / "data/dicom/dicomdir").string()));
        int frames = 0;
        for (const auto& document : documents) {
            frames += document->frameCount();
        }
        QCOMPARE(frames, 31);
        QVERIFY(documents.size() >= 8);
    }

    void aDamagedSliceLeavesTheRestOfItsSeries()
    {
        const auto shared = test::sharedData();
        if (!shared) {
            QSKIP(test::missingSharedData);
        }
        const QString dicom = QString::fromStdString((*shared / "data/dicom/").string());
        const QTemporaryDir folder;
        // of one series; the damaged one comes first
        QVERIFY(QFile::copy(dicom + "MR_truncated.dcm", folder.filePath("1.dcm")));
        QVERIFY(QFile::copy(dicom + "MR_small.dcm", folder.filePath("2.dcm")));
        const auto documents = openDocuments(folder.path());
        QCOMPARE(documents.size(), size_t(1));
        QCOMPARE(documents[0]->frameCount(), 2);
        QCOMPARE(documents[0]->frame(1).pixels.size(), QSize(64, 64));
        QString sentence;
        try {
            (void)documents[0]->frame(0);
        } catch (const DocumentError& error) {
            sentence = error.sentence();
        }
        QVERIFY2(sentence.contains("1.dcm holds 8130 of 8192 bytes"), qPrintable(sentence));
        QVERIFY(documents[0]->properties(0).size() > 20);
    }

    void aFolderSaysWhatOfItDoesNotOpen()
    {
        const QTemporaryDir folder;
        QVERIFY(QFile::copy(own("rgb8.png"), folder.filePath(QStringLiteral("good.png"))));
        QFile png(own("rgb8.png"));
        QVERIFY(png.open(QIODevice::ReadOnly));
        const QByteArray cut = png.read(20);
        write(folder, QStringLiteral("cut1.png"), cut);
        QStringList said;
        const auto open = [&] {
            return openDocuments(folder.path(),
                                 {{}, {}, [&](const QString& text) { said << text; }});
        };
        QCOMPARE(open().size(), size_t(1));
        QCOMPARE(said.size(), 1);
        QVERIFY2(said[0].contains("cut1.png is a damaged or incomplete PNG"), qPrintable(said[0]));
        write(folder, QStringLiteral("cut2.png"), cut);
        said.clear();
        QCOMPARE(open().size(), size_t(1));
        QCOMPARE(said.size(), 1);
        QVERIFY2(said[0].startsWith("2 files in ") && said[0].contains("; the first: "),
                 qPrintable(said[0]));
    }

    void openingStopsWhenItIsAskedTo()
    {
        const QTemporaryDir folder;
        QVERIFY(QFile::copy(own("rgb8.png"), folder.filePath(QStringLiteral("a.png"))));
        std::stop_source stop;
        stop.request_stop();
        QVERIFY_EXCEPTION_THROWN(openDocuments(folder.path(), {{}, stop.get_token()}),
                                 DocumentError);
    }

    void theDialogListsEveryKind()
    {
        const QStringList filters = openDialogFilter().split(QStringLiteral(";;"));
        QVERIFY(filters.first().startsWith(QStringLiteral("All that opens (*.dcm")));
        QCOMPARE(filters.last(), QStringLiteral("All files (*)"));
        for (const char* pattern : {"*.png", "*.tif", "*.webp", "*.pdf", "*.webm", "DICOMDIR"}) {
            QVERIFY(filters.first().contains(QString::fromLatin1(pattern)));
        }
    }
};

QTEST_MAIN(DocumentKindsTest)
#include "document_kinds_test.moc"
