#include "support/shared_data.h"
#include "ui/model/picture.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace ui;

namespace {

const QString ownFolder = QStringLiteral(KVL_TEST_DATA "/images/");

QByteArray sha256(const QImage& rgb)
{
    QCryptographicHash hash(QCryptographicHash::Sha256);
    for (int y = 0; y < rgb.height(); ++y) {
        hash.addData(QByteArrayView(rgb.constScanLine(y), qsizetype(rgb.width()) * 3));
    }
    return hash.result().toHex();
}

QByteArray bytesOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

}  // namespace

class PictureTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    QString write(const QString& name, const QByteArray& bytes)
    {
        QFile file(m_folder.filePath(name));
        file.remove();  // truncating a file makes some file systems wait for the disk
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
            qFatal("can't write %s", qPrintable(name));
        }
        return file.fileName();
    }

private Q_SLOTS:
    /// images.tsv is made by tests/reference/make_images.py with Pillow.
    void bytesEqualPillows_data()
    {
        QTest::addColumn<QString>("path");
        QTest::addColumn<int>("frame");
        QTest::addColumn<QSize>("size");
        QTest::addColumn<QByteArray>("hash");
        const auto shared = test::sharedData();
        const QList<QByteArray> lines =
            bytesOf(QStringLiteral(KVL_TEST_DATA "/images.tsv")).split('\n');
        for (const QByteArray& line : lines) {
            const QList<QByteArray> cells = line.split('\t');
            if (cells.size() != 6 || (cells[0] == "shared" && !shared)) {
                continue;
            }
            const QString folder = cells[0] == "own"
                ? ownFolder
                : QString::fromStdString((*shared / "data").string()) + u'/';
            if (cells[1] == "pathology/OS-1-detail.ome.tif") {
                continue;  // PIL refuses it, we do not: tilesCalledRgbThatAreYcbcrOpen
            }
            QTest::addRow("%s %s", cells[1].constData(), cells[2].constData())
                << folder + QString::fromUtf8(cells[1]) << cells[2].toInt()
                << QSize(cells[3].toInt(), cells[4].toInt()) << cells[5];
        }
    }
    void bytesEqualPillows()
    {
        QFETCH(QString, path);
        QFETCH(int, frame);
        QFETCH(QSize, size);
        QFETCH(QByteArray, hash);
        if (hash == "error") {
            QVERIFY_EXCEPTION_THROWN(openPicture(path)->read(frame), DocumentError);
            return;
        }
        const auto reader = openPicture(path);
        QVERIFY(frame < reader->count());
        const Picture picture = reader->read(frame);
        QCOMPARE(picture.rgb.format(), QImage::Format_RGB888);
        QCOMPARE(picture.rgb.size(), size);
        QCOMPARE(sha256(picture.rgb), hash);
    }

    void tilesCalledRgbThatAreYcbcrOpen()
    {
        const auto shared = test::sharedData();
        if (!shared) {
            QSKIP(test::missingSharedData);
        }
        const QString path =
            QString::fromStdString((*shared / "data/pathology/OS-1-detail.ome.tif").string());
        const auto reader = openPicture(path);
        const QImage slide = reader->read(0).rgb;
        QCOMPARE(slide.size(), QSize(1101, 1101));
        // Stained with haematoxylin and eosin: on the whole violet, not green as unconverted YCbCr.
        double red = 0, green = 0, blue = 0;
        for (int y = 0; y < slide.height(); y += 3) {
            for (int x = 0; x < slide.width(); x += 3) {
                const QRgb pixel = slide.pixel(x, y);
                red += qRed(pixel);
                green += qGreen(pixel);
                blue += qBlue(pixel);
            }
        }
        QVERIFY(red > green * 1.1 && blue > green * 1.1);
    }

    void framesReadInAnyOrderAreTheSame()
    {
        for (const char* name : {"moving.gif", "moving.webp", "pages.tif"}) {
            const auto forward = openPicture(ownFolder + QString::fromLatin1(name));
            const auto backward = openPicture(ownFolder + QString::fromLatin1(name));
            QCOMPARE(forward->count(), 3);
            QList<QImage> wanted;
            for (int i = 0; i < 3; ++i) {
                wanted << forward->read(i).rgb;
            }
            QVERIFY(wanted[0] != wanted[1]);
            for (int i = 2; i >= 0; --i) {
                QCOMPARE(backward->read(i).rgb, wanted[i]);
            }
        }
    }

    void everyCutIsRefusedOrReadButNeverCrashes_data()
    {
        QTest::addColumn<QString>("name");
        for (const QString& name : QDir(ownFolder).entryList(QDir::Files)) {
            QTest::addRow("%s", qPrintable(name)) << name;
        }
    }
    void everyCutIsRefusedOrReadButNeverCrashes()
    {
        QFETCH(QString, name);
        const QByteArray whole = bytesOf(ownFolder + name);
        QVERIFY(!whole.isEmpty());
        for (qsizetype length = 0; length < whole.size();
             length += length < 100 ? 17 : std::max<qsizetype>(61, whole.size() / 16)) {
            const QString path = write(QStringLiteral("cut"), whole.left(length));
            try {
                const auto reader = openPicture(path);
                for (int i = 0; i < reader->count(); ++i) {
                    QCOMPARE(reader->read(i).rgb.format(), QImage::Format_RGB888);
                }
            } catch (const DocumentError& error) {
                QVERIFY(error.sentence().endsWith(u'.'));
                QVERIFY(error.sentence().contains(path));
            }
        }
    }

    void everyChangedByteIsRefusedOrReadButNeverCrashes_data()
    {
        everyCutIsRefusedOrReadButNeverCrashes_data();
    }
    void everyChangedByteIsRefusedOrReadButNeverCrashes()
    {
        QFETCH(QString, name);
        const QByteArray whole = bytesOf(ownFolder + name);
        // Qt's readers comment on what they meet; this test meets a lot.
        const auto handler =
            qInstallMessageHandler([](QtMsgType, const QMessageLogContext&, const QString&) {});
        for (qsizetype at = 4; at < whole.size();
             at += at < 100 ? 3 : std::max<qsizetype>(97, whole.size() / 16)) {
            QByteArray changed = whole;
            changed[at] = char(uchar(changed[at]) ^ 0xff);
            const QString path = write(QStringLiteral("changed"), changed);
            try {
                const auto reader = openPicture(path);
                if (reader->size(0).width() < 5000 && reader->size(0).height() < 5000) {
                    (void)reader->read(0);
                }
            } catch (const DocumentError&) {
            }
        }
        qInstallMessageHandler(handler);
    }

    void aWrongChecksumIsSaidByOurselves()
    {
        const QByteArray whole = bytesOf(ownFolder + QStringLiteral("rgb8.png"));
        const qsizetype data = whole.indexOf("IDAT");
        QVERIFY(data > 0);
        for (const auto& [at, chunk] : {std::pair{qsizetype(20), "IHDR"}, {data + 9, "IDAT"}}) {
            QByteArray changed = whole;
            changed[at] = char(uchar(changed[at]) ^ 1);
            try {
                (void)openPicture(write(QStringLiteral("changed.png"), changed))->read(0);
                QFAIL("opened");
            } catch (const DocumentError& error) {
                QVERIFY2(error.sentence().contains(
                             QStringLiteral("the checksum of its %1 chunk is wrong").arg(chunk)),
                         error.what());
            }
        }
        // A chunk that one may leave out does not matter (PNG 5.4).
        QByteArray text = whole;
        text.insert(33, QByteArray("\0\0\0\3tEXta\0bXXXX", 15));
        QCOMPARE(openPicture(write(QStringLiteral("text.png"), text))->read(0).rgb,
                 openPicture(write(QStringLiteral("whole.png"), whole))->read(0).rgb);
    }

    void aHugeSizeIsRefusedBeforeAnythingIsAllocated()
    {
        QByteArray png = bytesOf(ownFolder + QStringLiteral("rgb8.png"));
        png.replace(16, 8, QByteArray("\0\1\0\0\0\1\0\0", 8));  // 65536 × 65536
        // Its checksum, so that the reader believes it.
        const quint32 crc = [&] {
            quint32 value = 0xffffffff;
            for (qsizetype i = 12; i < 29; ++i) {
                value ^= uchar(png[i]);
                for (int k = 0; k < 8; ++k) {
                    value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
                }
            }
            return ~value;
        }();
        for (int i = 0; i < 4; ++i) {
            png[29 + i] = char(crc >> (24 - 8 * i));
        }
        try {
            openPicture(write(QStringLiteral("huge.png"), png));
            QFAIL("opened");
        } catch (const DocumentError& error) {
            QVERIFY2(error.sentence().contains(QStringLiteral(
                         "65536 × 65536 pixels; pictures open up to 300 megapixels")),
                     error.what());
        }
        QByteArray gif = bytesOf(ownFolder + QStringLiteral("palette.gif"));
        gif.replace(6, 4, "\xff\xff\xff\xff");
        QVERIFY_EXCEPTION_THROWN(openPicture(write(QStringLiteral("huge.gif"), gif)),
                                 DocumentError);
    }

    void theFormatIsTakenFromTheContent()
    {
        QCOMPARE(pictureFormat(bytesOf(ownFolder + QStringLiteral("lossy.webp"))),
                 QStringLiteral("WebP"));
        QCOMPARE(pictureFormat(bytesOf(ownFolder + QStringLiteral("rgb16-big.tif"))),
                 QStringLiteral("TIFF"));
        QCOMPARE(pictureFormat("BMW is not a bitmap, whatever it says"), QString());
        QCOMPARE(pictureFormat(QByteArray()), QString());
        // A DICOM file with a TIFF header in its preamble is DICOM.
        QCOMPARE(pictureFormat("II*" + QByteArray(125, '\0') + "DICM"), QString());
    }

    void deepGreyKeepsItsValues()
    {
        const Picture low = openPicture(ownFolder + QStringLiteral("gray16-low.png"))->read(0);
        QCOMPARE(low.gray.size(), size_t(low.rgb.width() * low.rgb.height()));
        bool above = false;
        for (int y = 0; y < low.rgb.height(); ++y) {
            for (int x = 0; x < low.rgb.width(); ++x) {
                const float value = low.gray[size_t(y * low.rgb.width() + x)];
                above |= value > 255;
                QCOMPARE(qRed(low.rgb.pixel(x, y)), int(std::min(value, 255.0F)));
            }
        }
        QVERIFY(above);
        const Picture real = openPicture(ownFolder + QStringLiteral("float32.tif"))->read(0);
        QVERIFY(*std::min_element(real.gray.begin(), real.gray.end()) < 0);
        QVERIFY(openPicture(ownFolder + QStringLiteral("gray8.png"))->read(0).gray.empty());
    }

    void orientationIsReadButNotApplied()
    {
        for (int i = 2; i <= 8; ++i) {
            const Picture picture =
                openPicture(ownFolder + QStringLiteral("exif-%1.jpg").arg(i))->read(0);
            QCOMPARE(picture.orientation, i);
            QCOMPARE(picture.rgb.size(), QSize(37, 23));
        }
        QCOMPARE(openPicture(ownFolder + QStringLiteral("rgb8-exif8.png"))->read(0).orientation, 8);
        QCOMPARE(openPicture(ownFolder + QStringLiteral("444.jpg"))->read(0).orientation, 1);
    }

    /// A turned picture and turned coordinates agree in every pixel.
    void turningPicturesAndCoordinatesAgree()
    {
        QImage image(3, 2, QImage::Format_RGB888);
        for (int y = 0; y < 2; ++y) {
            for (int x = 0; x < 3; ++x) {
                image.setPixel(x, y, qRgb(x, y, 7));
            }
        }
        // The first pixel of the stored rows is seen at (Exif 2.32, table 6): 2 top right, 3 bottom
        // right, 4 bottom left, 5 top left, 6 top right, 7 bottom right, 8 bottom left.
        const QPoint corner[] = {{0, 0}, {0, 0}, {2, 0}, {2, 1}, {0, 1},
                                 {0, 0}, {1, 0}, {1, 2}, {0, 2}};
        for (int orientation = 1; orientation <= 8; ++orientation) {
            const QImage upright = turned(image, orientation);
            const QTransform map = turnedCoordinates(image.size(), orientation);
            QCOMPARE(upright.size(), orientation >= 5 ? QSize(2, 3) : QSize(3, 2));
            QCOMPARE(upright.pixel(corner[orientation]), image.pixel(0, 0));
            for (int y = 0; y < 2; ++y) {
                for (int x = 0; x < 3; ++x) {
                    const QPointF to = map.map(QPointF(x + 0.5, y + 0.5));
                    QCOMPARE(upright.pixel(int(to.x()), int(to.y())), image.pixel(x, y));
                }
            }
        }
    }
};

QTEST_GUILESS_MAIN(PictureTest)
#include "picture_test.moc"
