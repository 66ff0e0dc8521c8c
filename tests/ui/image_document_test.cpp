#include "support/shared_data.h"
#include "ui/model/image_document.h"
#include "ui/model/to_inference_image.h"

#include <QTemporaryDir>
#include <QTest>

using namespace ui;

namespace {

QString own(const char* name)
{
    return QStringLiteral(KVL_TEST_DATA "/images/") + QString::fromLatin1(name);
}

FrameOptions asShown(std::optional<WindowLevel> window = {})
{
    FrameOptions options;
    options.window = window;
    options.asShown = true;
    return options;
}

}  // namespace

class ImageDocumentTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void anOpaquePictureIsShownAsTheModelGetsIt()
    {
        ImageDocument document(own("rgb8.png"));
        QCOMPARE(document.title(), QStringLiteral("rgb8.png"));
        QCOMPARE(document.subtitle(), QStringLiteral("PNG · 37 × 23"));
        QCOMPARE(document.frameNoun(), QStringLiteral("picture"));
        QCOMPARE(document.frameCount(), 1);
        const Frame frame = document.frame(0);
        QVERIFY(frame.shown.isNull());
        QVERIFY(frame.note.isEmpty());
        QVERIFY(!frame.window);
        QVERIFY(frame.toShown.isIdentity());
        QCOMPARE(frame.ref, (FrameRef{own("rgb8.png"), 0, {}}));
    }

    void anExifOrientationTurnsWhatIsShownOnly()
    {
        ImageDocument document(own("exif-6.jpg"));
        const Frame frame = document.frame(0);
        QCOMPARE(frame.pixels.size(), QSize(37, 23));
        QCOMPARE(frame.shown.size(), QSize(23, 37));
        QCOMPARE(frame.shown.format(), QImage::Format_RGB888);
        for (const QPoint& at : {QPoint(0, 0), QPoint(36, 0), QPoint(5, 22)}) {
            const QPointF to = frame.toShown.map(QPointF(at) + QPointF(0.5, 0.5));
            QCOMPARE(frame.shown.pixel(int(to.x()), int(to.y())), frame.pixels.pixel(at));
        }
        QCOMPARE(frame.note,
                 QStringLiteral("The model gets the picture as stored, not turned upright, as the "
                                "reference preprocessing does."));
        const Frame given = document.frame(0, asShown());
        QCOMPARE(given.pixels, frame.shown);
        QVERIFY(given.shown.isNull());
        QVERIFY(given.note.isEmpty());
        QVERIFY(given.toShown.isIdentity());
    }

    void transparentPartsAreWhiteForTheEye()
    {
        ImageDocument document(own("palette8-trns.png"));
        const Frame frame = document.frame(0);
        QVERIFY(!frame.shown.isNull());
        QVERIFY(!frame.note.isEmpty());
        // The palette's alpha is the index itself; each pixel is blended over white with it.
        Picture stored = openPicture(own("palette8-trns.png"))->read(0);
        int seen = 0;
        for (int y = 0; y < 23; ++y) {
            for (int x = 0; x < 37; ++x) {
                const double alpha = qRed(stored.alpha.pixel(x, y)) / 255.0;
                const double red = alpha * qRed(frame.pixels.pixel(x, y)) + (1 - alpha) * 255;
                QVERIFY(std::abs(qRed(frame.shown.pixel(x, y)) - red) <= 0.51);
                seen += alpha < 1;
            }
        }
        QVERIFY(seen > 500);
    }

    void sixteenBitGreyIsWindowedForTheEyeAndCutForTheModel()
    {
        ImageDocument document(own("gray16.png"));
        const Frame frame = document.frame(0);
        QVERIFY(frame.window);
        const Picture stored = openPicture(own("gray16.png"))->read(0);
        const auto [low, high] = std::minmax_element(stored.gray.begin(), stored.gray.end());
        QCOMPARE(frame.window->center, (double(*low) + *high) / 2);
        QCOMPARE(frame.window->width, double(*high) - *low);
        int darkest = 255, brightest = 0;
        for (int y = 0; y < 23; ++y) {
            for (int x = 0; x < 37; ++x) {
                darkest = std::min(darkest, qRed(frame.shown.pixel(x, y)));
                brightest = std::max(brightest, qRed(frame.shown.pixel(x, y)));
            }
        }
        QCOMPARE(darkest, 0);
        QCOMPARE(brightest, 255);
        QVERIFY(
            frame.note.startsWith(QStringLiteral("The model gets values above 255 cut to white")));

        const WindowLevel window{20000, 100};
        const Frame narrow = document.frame(0, asShown(window));
        QCOMPARE(*narrow.window, window);
        QVERIFY(narrow.note.isEmpty());
        for (int x = 0; x < 37; ++x) {
            const float value = stored.gray[size_t(x)];
            const int wanted = value <= 19950 ? 0 : value >= 20050 ? 255 : -1;
            QVERIFY(wanted < 0 || qRed(narrow.pixels.pixel(x, 0)) == wanted);
        }
    }

    void swappingBlackAndWhiteIsForTheEyeUnlessAskedFor()
    {
        ImageDocument document(own("gray8.png"));
        FrameOptions options;
        options.inverted = true;
        const Frame frame = document.frame(0, options);
        QCOMPARE(frame.pixels, document.frame(0).pixels);
        QCOMPARE(qRed(frame.shown.pixel(3, 3)), 255 - qRed(frame.pixels.pixel(3, 3)));
        options.asShown = true;
        QCOMPARE(document.frame(0, options).pixels, frame.shown);
    }

    void pagesAndAnimationFramesAreFrames()
    {
        ImageDocument pages(own("pages.tif")), moving(own("moving.gif"));
        QCOMPARE(pages.frameCount(), 3);
        QCOMPARE(pages.frameNoun(), QStringLiteral("page"));
        QCOMPARE(pages.frame(2).label, QStringLiteral("page 3 of 3"));
        QCOMPARE(moving.frameNoun(), QStringLiteral("frame"));
        QVERIFY(moving.frame(1).pixels != moving.frame(0).pixels);
        QCOMPARE(moving.subtitle(), QStringLiteral("GIF · 37 × 23 · 3 frames"));
        QVERIFY_EXCEPTION_THROWN(moving.frame(3), DocumentError);
        QVERIFY_EXCEPTION_THROWN(moving.frame(-1), DocumentError);
        QCOMPARE(moving.indexOf({own("moving.gif"), 2, {}}), 2);
        QCOMPARE(moving.indexOf({own("moving.gif"), 3, {}}), -1);
        QCOMPARE(moving.indexOf({own("pages.tif"), 0, {}}), -1);
    }

    void thumbnailsFitTheirSquare()
    {
        ImageDocument document(own("exif-6.jpg"));
        QCOMPARE(document.thumbnail(0, 16).size(), QSize(9, 16));
        QCOMPARE(document.thumbnail(0, 96).size(), QSize(23, 37));
    }

    void propertiesNameWhatMatters()
    {
        ImageDocument document(own("gray16.png"));
        QStringList names;
        for (const Property& property : document.properties(0)) {
            names << property.name;
        }
        QVERIFY(names.contains(QStringLiteral("Values")));
        QVERIFY(names.contains(QStringLiteral("Pixels")));
    }

    void aPastedPictureKeepsItsColours()
    {
        QImage image(5, 4, QImage::Format_ARGB32);
        image.fill(qRgba(10, 20, 30, 0));
        image.setPixel(1, 1, qRgba(200, 100, 50, 255));
        const auto document = documentFromImage(image, QStringLiteral("Pasted"));
        QCOMPARE(document->title(), QStringLiteral("Pasted"));
        QCOMPARE(document->path(), QString());
        const Frame frame = document->frame(0);
        QCOMPARE(frame.pixels.pixel(0, 0), qRgb(10, 20, 30));
        QCOMPARE(frame.pixels.pixel(1, 1), qRgb(200, 100, 50));
        QCOMPARE(frame.shown.pixel(0, 0), qRgb(255, 255, 255));
        QCOMPARE(frame.shown.pixel(1, 1), qRgb(200, 100, 50));
        QVERIFY_EXCEPTION_THROWN(documentFromImage({}, {}), DocumentError);
    }

    void theModelsImageSharesThePixels()
    {
        inference::Image image;
        const uchar* bits = nullptr;
        {
            const Frame frame = ImageDocument(own("rgb8.png")).frame(0);
            bits = frame.pixels.constBits();
            image = toInferenceImage(frame.pixels);
        }
        QCOMPARE(image.pixels.get(), bits);
        QCOMPARE(image.width, 37);
        QCOMPARE(image.height, 23);
        QCOMPARE(image.stride, 112);
        const QImage back = toQImage(image);
        QCOMPARE(back.constBits(), bits);
        QCOMPARE(back.pixel(3, 4), qRgb(image.row(4)[9], image.row(4)[10], image.row(4)[11]));
        image = {};
        QCOMPARE(back.size(), QSize(37, 23));
        QVERIFY(toInferenceImage({}).isNull());
        QVERIFY(toQImage({}).isNull());
    }

    void theHiddenMagentaOfTheSharedPictureIsBlendedAway()
    {
        const auto shared = test::sharedData();
        if (!shared) {
            QSKIP(test::missingSharedData);
        }
        ImageDocument document(
            QString::fromStdString((*shared / "data/images/alpha.png").string()));
        const Frame frame = document.frame(0);
        int magenta = 0, seen = 0;
        for (int y = 0; y < frame.pixels.height(); ++y) {
            for (int x = 0; x < frame.pixels.width(); ++x) {
                magenta += frame.pixels.pixel(x, y) == qRgb(255, 0, 255);
                seen += frame.shown.pixel(x, y) == qRgb(255, 0, 255);
            }
        }
        QVERIFY(magenta > 0);
        QCOMPARE(seen, 0);
    }
};

QTEST_GUILESS_MAIN(ImageDocumentTest)
#include "image_document_test.moc"
