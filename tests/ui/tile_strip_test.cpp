#include "ui/view/tile_strip.h"

#include "inference/tiles.h"
#include "ui/model/to_inference_image.h"
#include "ui/view/tile_grid.h"

#include <QElapsedTimer>
#include <QLabel>
#include <QSignalSpy>
#include <QSlider>
#include <QTest>

#include <cstring>

using namespace ui;

namespace {

QImage picture(int width, int height, int seed = 1)
{
    QImage image(width, height, QImage::Format_RGB888);
    quint32 state = quint32(seed);
    for (int y = 0; y < height; ++y) {
        uchar* row = image.scanLine(y);
        for (int x = 0; x < 3 * width; ++x) {
            state = state * 1664525 + 1013904223;
            row[x] = uchar(state >> 24);
        }
    }
    return image;
}

bool equal(const std::vector<inference::Image>& a, const std::vector<inference::Image>& b)
{
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i].width != b[i].width || a[i].height != b[i].height) {
            return false;
        }
        for (int y = 0; y < a[i].height; ++y) {
            if (std::memcmp(a[i].row(y), b[i].row(y), std::size_t(3) * a[i].width) != 0) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace

class TileStripTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }

    void captionSaysGridTilesTokensAndScale_data()
    {
        QTest::addColumn<inference::TileLayout>("layout");
        QTest::addColumn<QSize>("from");
        QTest::addColumn<QString>("caption");
        QTest::newRow("enlarged") << inference::TileLayout{{4, 3}, 13, true, 3328, 1792, 1344}
                                  << QSize(512, 512)
                                  << QStringLiteral("4 × 3 + thumbnail · 13 tiles · 3,328 tokens · "
                                                    "1792 × 1344 from 512 × 512 (enlarged 3.5 ×)");
        QTest::newRow("one tile") << inference::TileLayout{{1, 1}, 1, false, 256, 448, 448}
                                  << QSize(896, 896)
                                  << QStringLiteral("1 × 1 · 1 tile · 256 tokens · "
                                                    "448 × 448 from 896 × 896 (reduced 2 ×)");
        QTest::newRow("as it is") << inference::TileLayout{{2, 1}, 3, true, 768, 896, 448}
                                  << QSize(896, 448)
                                  << QStringLiteral("2 × 1 + thumbnail · 3 tiles · 768 tokens · "
                                                    "896 × 448 from 896 × 448");
    }
    void captionSaysGridTilesTokensAndScale()
    {
        QFETCH(inference::TileLayout, layout);
        QFETCH(QSize, from);
        QFETCH(QString, caption);
        QCOMPARE(tileCaption(layout, from), caption);
    }

    void tilesAreTheVeryBytesTheModelGets()
    {
        TileStrip strip;
        QSignalSpy ready(&strip, &TileStrip::tilesReady);
        const QImage image = picture(640, 480);
        strip.setPicture(image);
        QVERIFY(strip.isBusy());
        QTRY_COMPARE(ready.count(), 1);
        const auto expected = inference::cutTiles(toInferenceImage(image));
        QCOMPARE(strip.tiles().size(), std::size_t(13));
        QVERIFY(equal(strip.tiles(), expected));
        QCOMPARE(strip.caption(),
                 "4 × 3 + thumbnail · 13 tiles · 3,328 tokens · 1792 × 1344 from 640 × 480 "
                 "(enlarged 2.8 ×)");
    }

    void aNarrowStripCutsNothingOfItsCaption()
    {
        TileStrip strip;
        strip.resize(500, 112);
        strip.show();
        strip.setPicture(picture(2512, 1512));
        QTRY_VERIFY(!strip.isBusy());
        const auto labels = strip.findChildren<QLabel*>();
        const auto caption = std::find_if(labels.begin(), labels.end(), [](const QLabel* label) {
            return label->text().contains("tokens");
        });
        QVERIFY(caption != labels.end());
        QVERIFY2((*caption)->minimumSizeHint().width() <= (*caption)->width(),
                 qPrintable((*caption)->text()));
    }

    void aRegionIsCutAsAPictureOfItsOwn()
    {
        TileStrip strip;
        const QImage image = picture(640, 480);
        strip.setPicture(image, {100, 50, 200, 100});
        QTRY_VERIFY(!strip.isBusy());
        QVERIFY(equal(strip.tiles(),
                      inference::cutTiles(toInferenceImage(image.copy(100, 50, 200, 100)))));
        QVERIFY(strip.caption().contains("from 200 × 100"));
        strip.setPicture(image, {600, 400, 400, 400});  // what lies in the picture counts
        QTRY_VERIFY(!strip.isBusy());
        QVERIFY(equal(strip.tiles(),
                      inference::cutTiles(toInferenceImage(image.copy(600, 400, 40, 80)))));
    }

    void ofManyPicturesTheLatestIsShown()
    {
        TileStrip strip;
        QImage last;
        for (int i = 0; i < 25; ++i) {
            last = picture(320, 240, i + 1);
            strip.setPicture(last);
            QVERIFY(strip.tiles().empty());  // never those of another picture
            QCoreApplication::processEvents();
        }
        QTRY_VERIFY(!strip.isBusy());
        QVERIFY(equal(strip.tiles(), inference::cutTiles(toInferenceImage(last))));
    }

    void theSliderSetsMaxTiles()
    {
        TileStrip strip;
        strip.setPicture(picture(640, 480));
        QSignalSpy changed(&strip, &TileStrip::maxTilesChanged);
        strip.findChild<QSlider*>()->setValue(6);
        QCOMPARE(changed.count(), 1);
        QCOMPARE(changed.first().first().toInt(), 6);
        QTRY_VERIFY(!strip.isBusy());
        inference::TilingOptions options;
        options.maxTiles = 6;
        const auto layout = inference::layoutTiles(640, 480, options);
        QCOMPARE(strip.tiles().size(), std::size_t(layout.tiles));
        strip.setMaxTiles(6);
        QCOMPARE(changed.count(), 1);
        strip.setMaxTilesLimit(24);
        QCOMPARE(strip.findChild<QSlider*>()->maximum(), 24);
    }

    void anotherModelsTilesHaveItsSizeAndCost()
    {
        TileStrip strip;
        strip.setModel(56, 4);
        strip.setPicture(picture(56, 56));
        QTRY_VERIFY(!strip.isBusy());
        QCOMPARE(strip.tiles().front().width, 56);
        QCOMPARE(strip.caption(), "1 × 1 · 1 tile · 4 tokens · 56 × 56 from 56 × 56");
    }

    void hoveringATileSaysItsRectangleAndTheThumbnailNone()
    {
        TileStrip strip;
        strip.resize(800, 112);
        strip.show();
        strip.setPicture(picture(640, 480));
        QTRY_VERIFY(!strip.isBusy());
        auto* grid = strip.findChild<TileGridWidget*>();
        QSignalSpy hovered(&strip, &TileStrip::tileHovered);
        QTest::mouseMove(grid, grid->tileRect(5).center());
        QTRY_COMPARE(hovered.count(), 1);
        QCOMPARE(hovered.last().first().toInt(), 5);
        QCOMPARE(strip.hoveredTile(), 5);
        QTest::mouseMove(grid, grid->tileRect(12).center());
        QTRY_COMPARE(hovered.count(), 2);
        QCOMPARE(hovered.last().first().toInt(), -1);
        strip.setHoveredTile(3);
        QCOMPARE(strip.hoveredTile(), 3);
        QCOMPARE(hovered.count(), 2);
    }

    void tilesLieInTheirGridAndTheThumbnailApart()
    {
        TileGridWidget grid;
        grid.setRoom({800, 100});
        grid.setTiles(inference::layoutTiles(640, 480), {});
        QCOMPARE(grid.count(), 13);
        QVERIFY(grid.isThumbnail(12));
        QCOMPARE(grid.tileRect(12).size(), QSize(96, 96));
        for (int tile = 0; tile < 12; ++tile) {
            QVERIFY(grid.tileRect(tile).bottom() < 100);
            QCOMPARE(grid.tileAt(grid.tileRect(tile).center()), tile);
            QVERIFY(grid.tileRect(tile).right() + 10 < grid.tileRect(12).left());
        }
        QCOMPARE(grid.tileRect(4).left(), grid.tileRect(0).left());
        QVERIFY(grid.tileRect(4).top() > grid.tileRect(0).bottom());
        grid.setTiles(inference::layoutTiles(4096, 64), {});  // 12 × 1: as wide as there is room
        QVERIFY(grid.sizeHint().width() <= 800);
        QVERIFY(grid.tileRect(0).width() >= 50);
        grid.setTiles(inference::layoutTiles(1505, 2000), {});  // 3 × 4, a page
        QVERIFY(grid.sizeHint().height() <= 100);
        grid.setTiles(inference::layoutTiles(448, 448), {});
        QCOMPARE(grid.count(), 1);
        QCOMPARE(grid.tileRect(0).size(), QSize(96, 96));
    }

    void aTileOpensInItsOwnSize()
    {
        TileStrip strip;
        strip.resize(800, 112);
        strip.show();
        strip.setPicture(picture(640, 480));
        QTRY_VERIFY(!strip.isBusy());
        auto* grid = strip.findChild<TileGridWidget*>();
        QTest::mouseClick(grid, Qt::LeftButton, {}, grid->tileRect(1).center());
        auto* popup = strip.findChild<TilePopup*>();
        QVERIFY(popup && popup->isVisible());
        const QImage shown = popup->grab().toImage();
        QVERIFY(shown.width() >= 448 && shown.height() >= 448);
        const QImage tile = toQImage(strip.tiles()[1]).convertToFormat(shown.format());
        QCOMPARE(shown.copy(QRect(QPoint(9, 9), tile.size())), tile);
        QTest::keyClick(popup, Qt::Key_Escape);
        QTRY_VERIFY(!strip.findChild<TilePopup*>());
        QCOMPARE(strip.hoveredTile(), -1);
    }

    void noPictureLeavesNoTilesAndNoCaption()
    {
        TileStrip strip;
        strip.setPicture(picture(64, 64));
        strip.clear();
        QVERIFY(strip.caption().isEmpty());
        QTest::qWait(100);  // what was being cut is for nothing
        QVERIFY(strip.tiles().empty());
        strip.setPicture(picture(64, 64));
        QTRY_COMPARE(strip.tiles().size(), std::size_t(1));
    }

    void aChangedRegionIsShownWithinFiftyMilliseconds()
    {
#ifdef KVL_SANITIZE
        QSKIP("a sanitizer makes every step several times slower");
#endif
        TileStrip strip;
        strip.resize(800, 112);
        strip.show();
        const QImage image = picture(640, 480);
        QSignalSpy ready(&strip, &TileStrip::tilesReady);
        double best = 1e9;  // of several, since the machine may be busy
        for (int i = 0; i < 20 && best > 50; ++i) {
            QElapsedTimer timer;
            timer.start();
            strip.setPicture(image, {i, 0, 600, 450});
            QVERIFY(ready.wait(5000));
            strip.repaint();
            best = std::min(best, double(timer.nsecsElapsed()) / 1e6);
        }
        QVERIFY2(best <= 50, qPrintable(QString::number(best)));
    }
};

QTEST_MAIN(TileStripTest)
#include "tile_strip_test.moc"
