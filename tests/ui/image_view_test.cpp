#include "ui/view/image_view.h"

#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>

#include <ctime>

using namespace ui;

namespace {

Frame frameOf(const QImage& pixels)
{
    Frame frame;
    frame.pixels = pixels.convertToFormat(QImage::Format_RGB888);
    frame.ref = {QStringLiteral("file"), 0, {}};
    return frame;
}

Frame plain(int width, int height, const QColor& colour = Qt::white)
{
    QImage image(width, height, QImage::Format_RGB888);
    image.fill(colour);
    return frameOf(image);
}

Frame checkerboard(int side)
{
    QImage image(side, side, QImage::Format_RGB888);
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            image.setPixelColor(x, y, (x + y) % 2 ? Qt::white : Qt::black);
        }
    }
    return frameOf(image);
}

void move(QWidget& widget, const QPointF& to, Qt::MouseButtons buttons)
{
    QMouseEvent event(QEvent::MouseMove, to, widget.mapToGlobal(to), Qt::NoButton, buttons, {});
    QApplication::sendEvent(&widget, &event);
}

void drag(QWidget& widget, const QPoint& from, const QPoint& to,
          Qt::MouseButton button = Qt::LeftButton, bool release = true)
{
    QTest::mousePress(&widget, button, {}, from);
    move(widget, QPointF(from + to) / 2, button);
    move(widget, to, button);
    if (release) {
        QTest::mouseRelease(&widget, button, {}, to);
    }
}

void wheel(QWidget& widget, const QPointF& at, int delta, Qt::KeyboardModifiers modifiers = {})
{
    QWheelEvent event(at, widget.mapToGlobal(at), {}, {0, delta}, Qt::NoButton, modifiers,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(&widget, &event);
}

/// A view in which widget pixel (x, y) is picture pixel (x, y) / zoom, from the corner.
std::unique_ptr<ImageView> viewOf(const Frame& frame, double zoom)
{
    auto view = std::make_unique<ImageView>();
    view->resize((QSizeF(frame.picture().size()) * zoom).toSize());
    view->setCornerTextVisible(false);
    view->show();
    if (!QTest::qWaitForWindowExposed(view.get())) {
        return nullptr;
    }
    view->setFrame(frame);
    return view;
}

}  // namespace

class ImageViewTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void fitShowsTheWholePictureInTheMiddle()
    {
        ViewTransform view;
        view.setViewport({400, 300});
        view.setPicture({200, 100});
        view.fit();
        QCOMPARE(view.pictureInView(), QRectF(0, 50, 400, 200));
    }

    void zoomKeepsThePointUnderTheCursor()
    {
        ViewTransform view;
        view.setViewport({400, 300});
        view.setPicture({2000, 1000});
        view.fit();
        const QPointF at(120, 170), before = view.toPicture(at);
        view.zoomAt(at, 3.7);
        QVERIFY(QLineF(view.toPicture(at), before).length() < 1e-9);
        QVERIFY(view.scale() > view.fitScale());
    }

    void pixelsThatAreNotSquareAreShownInTheirShape()
    {
        Frame frame = plain(100, 50);
        frame.spacing = PixelSpacing{0.5, 1.0, QStringLiteral("x")};  // 50 mm × 50 mm
        ImageView view;
        view.resize(300, 300);
        view.setFrame(frame);
        const QRectF shown = view.pixelsToWidget().mapRect(QRectF(0, 0, 100, 50));
        QCOMPARE(shown.width(), shown.height());
    }

    void scaleBarIsTheLongestRoundLengthThatFits_data()
    {
        QTest::addColumn<double>("mmPerPixel");
        QTest::addColumn<double>("pixels");
        QTest::addColumn<double>("millimetres");
        QTest::newRow("between 50 and 100 mm") << 0.6 << 150.0 << 50.0;
        QTest::newRow("just 100 mm") << 1.0 << 100.0 << 100.0;
        QTest::newRow("microscope") << 0.00025 << 100.0 << 0.02;
        QTest::newRow("just under 200") << 1.99 << 100.0 << 100.0;
    }
    void scaleBarIsTheLongestRoundLengthThatFits()
    {
        QFETCH(double, mmPerPixel);
        QFETCH(double, pixels);
        QFETCH(double, millimetres);
        const auto bar = scaleBar(mmPerPixel, pixels);
        QVERIFY(bar.has_value());
        QCOMPARE(bar->millimetres, millimetres);
        QCOMPARE(bar->pixels * mmPerPixel, millimetres);
        QVERIFY(!scaleBar(0, 100).has_value());
    }

    void distanceUsesTheSpacingOfEachDirection()
    {
        QLocale::setDefault(QLocale(QLocale::English));
        const QLineF line(10, 10, 20, 40);  // 10 across, 30 down
        QCOMPARE(distanceText(line, PixelSpacing{0.3, 0.4 / 3, QStringLiteral("x")}), "5.0 mm");
        QCOMPARE(distanceText(QLineF(0, 0, 3, 4), std::nullopt), "5 px");
    }

    void boxLabelsStayOutsideTheirBox_data()
    {
        QTest::addColumn<QRectF>("box");
        QTest::newRow("in the middle") << QRectF(100, 100, 50, 50);
        QTest::newRow("at the top") << QRectF(100, 0, 50, 50);
        QTest::newRow("at the right") << QRectF(380, 100, 20, 50);
        QTest::newRow("full height") << QRectF(100, 0, 50, 300);
        QTest::newRow("full height at the right") << QRectF(350, 0, 50, 300);
        QTest::newRow("reaching out at the left") << QRectF(-40, 100, 90, 50);
    }
    void boxLabelsStayOutsideTheirBox()
    {
        QFETCH(QRectF, box);
        const QRectF view(0, 0, 400, 300);
        const QRectF label = boxLabelRect(box, {60, 16}, view);
        QVERIFY(view.contains(label));
        QVERIFY(!label.intersects(box));
    }

    void halvingAveragesFourPixels()
    {
        QImage image(3, 2, QImage::Format_RGB888);
        image.fill(Qt::black);
        image.setPixel(0, 0, qRgb(100, 0, 8));
        image.setPixel(1, 1, qRgb(100, 40, 0));
        image.setPixel(2, 0, qRgb(0, 0, 200));  // an odd edge: averaged over what is there
        const QImage half = PictureLevels::halved(image);
        QCOMPARE(half.size(), QSize(2, 1));
        QCOMPARE(half.pixel(0, 0), qRgb(50, 10, 2));
        QCOMPARE(half.pixel(1, 0), qRgb(0, 0, 100));
        QCOMPARE(PictureLevels::halved(image.convertToFormat(QImage::Format_RGB32)), half);
    }

    void smallViewsOfAPictureDoNotAlias()
    {
        const auto view = viewOf(checkerboard(1024), 0.25);
        QVERIFY(view);
        const QImage shown = view->grab().toImage();
        for (int i = 8; i < shown.width() - 8; ++i) {
            QVERIFY(std::abs(qRed(shown.pixel(i, i)) - 128) <= 2);
        }
    }

    void pixelsStayHardAboveThreeToOne()
    {
        const auto view = viewOf(checkerboard(32), 4);
        QVERIFY(view);
        const QImage shown = view->grab().toImage();
        for (int y = 2; y < shown.height() - 2; ++y) {
            for (int x = 2; x < shown.width() - 2; ++x) {
                const int expected = (x / 4 + y / 4) % 2 ? 255 : 0;
                QCOMPARE(qRed(shown.pixel(x, y)), expected);
            }
        }
    }

    void aDraggedRegionIsInPicturePixels()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        view->setTool(Tool::Region);
        QSignalSpy changed(view.get(), &ImageView::regionChanged);
        drag(*view, {40, 20}, {122, 101});
        QCOMPARE(view->region(), QRect(10, 5, 21, 21));  // 122 / 4 is within pixel 30
        QVERIFY(changed.count() >= 1);
        QCOMPARE(changed.last().first().toRect(), view->region());
    }

    void aSlipOfTheHandLeavesTheRegionAsItWas()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        view->setTool(Tool::Region);
        view->setRegion({10, 10, 20, 20});
        drag(*view, {300, 250}, {306, 256});
        QCOMPARE(view->region(), QRect(10, 10, 20, 20));
        drag(*view, {300, 250}, {306, 290});  // thin, but meant
        QVERIFY(view->region() != QRect(10, 10, 20, 20));
    }

    void aRegionIsHeldWithinThePicture()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        view->setTool(Tool::Region);
        drag(*view, {200, 200}, {900, 900});
        QCOMPARE(view->region(), QRect(50, 50, 50, 30));
        view->setTool(Tool::Select);
        drag(*view, {300, 260}, {900, 260});
        QCOMPARE(view->region(), QRect(50, 50, 50, 30));
        drag(*view, {300, 260}, {100, 60});
        QCOMPARE(view->region(), QRect(0, 0, 50, 30));
    }

    void aRegionIsResizedByItsCorner()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        view->setRegion({10, 10, 20, 20});
        drag(*view, {120, 120}, {160, 200});
        QCOMPARE(view->region(), QRect(10, 10, 30, 40));
        drag(*view, {40, 100}, {20, 100});  // the left edge
        QCOMPARE(view->region(), QRect(5, 10, 35, 40));
    }

    void aRegionOnATurnedPictureIsInTheFilesPixels()
    {
        // Exif 6: shown turned by a quarter to the right
        Frame frame = plain(100, 50);
        frame.shown = frame.pixels.transformed(QTransform().rotate(90));
        frame.toShown = QTransform(0, 1, -1, 0, 50, 0);  // (x, y) -> (50 - y, x)
        const auto view = viewOf(frame, 4);
        QVERIFY(view);
        view->setTool(Tool::Region);
        drag(*view, {1, 1}, {40, 80});  // shown: x 0..10, y 0..20
        QCOMPARE(view->region(), QRect(0, 40, 20, 10));
    }

    void cancellingADragRestoresTheRegion()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        view->setRegion({10, 10, 20, 20});
        view->setTool(Tool::Region);
        drag(*view, {200, 200}, {300, 300}, Qt::LeftButton, false);
        QCOMPARE(view->region(), QRect(50, 50, 25, 25));
        QVERIFY(view->cancelDrag());
        QCOMPARE(view->region(), QRect(10, 10, 20, 20));
        QVERIFY(!view->cancelDrag());
    }

    void aRegionsOutlineCoversNoneOfItsPixels()
    {
        const auto view = viewOf(plain(60, 60), 8);
        QVERIFY(view);
        view->setRegion({20, 20, 20, 20});
        const QImage shown = view->grab().toImage();
        bool outlined = false;
        for (int y = 0; y < shown.height(); ++y) {
            for (int x = 0; x < shown.width(); ++x) {
                const bool white = shown.pixel(x, y) == qRgb(255, 255, 255);
                if (QRect(160, 160, 160, 160).contains(x, y)) {
                    QVERIFY2(white, qPrintable(QStringLiteral("%1 %2").arg(x).arg(y)));
                } else if (QRect(150, 150, 180, 180).contains(x, y)) {
                    outlined = outlined || !white;
                }
            }
        }
        QVERIFY(outlined);
    }

    void rightDragWindowsAndRightClickOpensTheMenu()
    {
        Frame frame = plain(100, 80);
        frame.window = WindowLevel{40, 400};
        const auto view = viewOf(frame, 4);
        QVERIFY(view);
        QSignalSpy windows(view.get(), &ImageView::windowRequested);
        QSignalSpy menus(view.get(), &ImageView::menuRequested);
        QTest::mouseClick(view.get(), Qt::RightButton, {}, {50, 50});
        QCOMPARE(menus.count(), 1);
        QCOMPARE(windows.count(), 0);
        drag(*view, {50, 50}, {150, 20}, Qt::RightButton);
        QCOMPARE(menus.count(), 1);
        QVERIFY(windows.count() >= 1);
        const auto window = windows.last().first().value<WindowLevel>();
        QVERIFY(window.width > 400);  // to the right: wider
        QVERIFY(window.center < 40);  // up: brighter
        QCOMPARE(window.center, std::round(window.center));
    }

    void colourPicturesHaveNoWindowToDrag()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        QSignalSpy windows(view.get(), &ImageView::windowRequested);
        drag(*view, {50, 50}, {150, 20}, Qt::RightButton);
        QCOMPARE(windows.count(), 0);
    }

    void theWheelStepsWhereThereAreSeveralFramesAndZoomsWhereThereIsOne()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        QSignalSpy steps(view.get(), &ImageView::stepRequested);
        wheel(*view, {100, 100}, 120);
        QCOMPARE(steps.count(), 0);
        QCOMPARE(view->zoom(), 4 * 1.2);
        view->fit();
        view->setStepping(true);
        wheel(*view, {100, 100}, -240);
        QCOMPARE(steps.count(), 1);
        QCOMPARE(steps.first().first().toInt(), 2);
        QCOMPARE(view->zoom(), 4.0);
        // a touchpad's small steps add up to one
        for (int i = 0; i < 4; ++i) {
            wheel(*view, {100, 100}, 30);
        }
        QCOMPARE(steps.count(), 2);
        QCOMPARE(steps.last().first().toInt(), -1);
        wheel(*view, {100, 100}, 120, Qt::ControlModifier);
        QCOMPARE(view->zoom(), 4 * 1.2);
        const QPointF under = view->pixelsToWidget().inverted().map(QPointF(100, 100));
        QVERIFY(QLineF(under, QPointF(25, 25)).length() < 1e-9);
    }

    void doubleClickFitsAndRestores()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        view->setZoom(10);
        const QPointF centre = view->view().centre();
        QTest::mouseDClick(view.get(), Qt::LeftButton, {}, {10, 10});
        QVERIFY(view->isFitted());
        QTest::mouseDClick(view.get(), Qt::LeftButton, {}, {10, 10});
        QCOMPARE(view->zoom(), 10.0);
        QCOMPARE(view->view().centre(), centre);
    }

    void zoomStaysFromSliceToSlice()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        view->setZoom(10);
        view->setFrame(plain(100, 80, Qt::red), 1);
        QCOMPARE(view->zoom(), 10.0);
        view->setFrame(plain(50, 80), 2);
        QVERIFY(view->isFitted());
    }

    void tilesAreThoseOfTheRegion()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        view->setRegion({20, 10, 60, 40});
        const QList<QRectF> tiles = view->tileRects();
        QCOMPARE(tiles.size(), 6);  // 3 × 2 is 60 × 40's very shape
        QCOMPARE(tiles.first(), QRectF(20, 10, 20, 20));
        QCOMPARE(tiles.last(), QRectF(60, 30, 20, 20));
        QSignalSpy hovered(view.get(), &ImageView::tileHovered);
        move(*view, QPointF(65 * 4, 35 * 4), Qt::NoButton);
        QCOMPARE(hovered.last().first().toInt(), 5);
        move(*view, QPointF(5, 5), Qt::NoButton);
        QCOMPARE(hovered.last().first().toInt(), -1);
    }

    void boxesGoWithTheirFrameAndStayThroughWindowing()
    {
        Frame frame = plain(100, 80);
        frame.window = WindowLevel{40, 400};
        const auto view = viewOf(frame, 4);
        QVERIFY(view);
        view->setBoxes({{QStringLiteral("nodule"), {10, 10, 20, 20}}});
        frame.window = WindowLevel{50, 300};
        view->setFrame(frame, 0);
        QCOMPARE(view->boxes().size(), 1);
        QSignalSpy clicked(view.get(), &ImageView::boxClicked);
        QTest::mouseClick(view.get(), Qt::LeftButton, {}, {60, 60});
        QCOMPARE(clicked.count(), 1);
        frame.ref.index = 1;
        view->setFrame(frame, 1);
        QCOMPARE(view->boxes().size(), 0);
    }

    void measurementsBelongToTheFrameTheyWereTakenOn()
    {
        const auto view = viewOf(plain(100, 80), 4);
        QVERIFY(view);
        view->setTool(Tool::Measure);
        drag(*view, {40, 40}, {80, 40});
        QCOMPARE(view->measurements().size(), 1);
        QCOMPARE(view->measurements().first().line.length(), 10.0);
        QTest::mouseClick(view.get(), Qt::LeftButton, {}, {10, 10});
        QCOMPARE(view->measurements().size(), 1);  // a click measures nothing
        const QImage with = view->grab().toImage();
        view->setFrame(plain(100, 80), 1);
        const QImage without = view->grab().toImage();
        QVERIFY(with != without);
    }

    void cornersSayWindowZoomAndTheSpacingsSource()
    {
        QLocale::setDefault(QLocale(QLocale::English));
        Frame frame = plain(100, 80);
        frame.window = WindowLevel{-600, 1500};
        frame.unit = QStringLiteral("HU");
        frame.spacing = PixelSpacing{0.66, 0.66, QStringLiteral("Pixel Spacing")};
        frame.corner = {QStringLiteral("DOE^JANE")};
        frame.label = QStringLiteral("slice 3 of 40");
        const auto shown = viewOf(frame, 4);
        QVERIFY(shown);
        ImageView& view = *shown;
        view.setTitle(QStringLiteral("Thorax"));
        QCOMPARE(view.cornerText(Qt::TopLeftCorner), QStringList{"DOE^JANE"});
        QCOMPARE(view.cornerText(Qt::TopRightCorner), (QStringList{"Thorax", "slice 3 of 40"}));
        QCOMPARE(view.cornerText(Qt::BottomLeftCorner),
                 (QStringList{"C -600  W 1500 HU", "zoom 400 %"}));
        QCOMPARE(view.cornerText(Qt::BottomRightCorner),
                 (QStringList{"0.66 mm a pixel", "Pixel Spacing"}));
        view.setShownWindow(WindowLevel{40, 400}, true);
        QCOMPARE(view.cornerText(Qt::BottomLeftCorner),
                 (QStringList{"C 40  W 400 HU", "inverted", "zoom 400 %"}));
    }

    void aPictureOfAHundredMegapixelsIsShownWithoutAWait()
    {
#ifdef KVL_SANITIZE
        QSKIP("a sanitizer makes every step several times slower");
#endif
        QImage image(12000, 9000, QImage::Format_RGB888);
        if (image.isNull()) {
            QSKIP("not enough memory for the picture");
        }
        image.fill(Qt::darkRed);
        const Frame frame = frameOf(image);
        ImageView view;
        view.resize(1200, 900);
        view.show();
        QVERIFY(QTest::qWaitForWindowExposed(&view));
        // this thread's own time: the machine may be busy
        const auto milliseconds = [] {
            timespec time;
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
            return double(time.tv_sec) * 1e3 + double(time.tv_nsec) / 1e6;
        };
        const double before = milliseconds();
        view.setFrame(frame);
        view.repaint();
        const double taken = milliseconds() - before;
        QVERIFY2(taken < 100, qPrintable(QString::number(taken)));
        QCOMPARE(view.grab().toImage().pixelColor(600, 450), QColor(Qt::darkRed));
    }

    void lettersFollowATurnedPicture_data()
    {
        QTest::addColumn<QTransform>("toShown");
        QTest::addColumn<QString>("letters");  // left top right bottom
        QTest::newRow("as stored") << QTransform() << "R H L F";
        // (x, y) -> (50 - y, x): the stored top comes to the right
        QTest::newRow("quarter to the right") << QTransform(0, 1, -1, 0, 50, 0) << "F R H L";
        QTest::newRow("mirrored") << QTransform(-1, 0, 0, 1, 100, 0) << "L H R F";
        QTest::newRow("upside down") << QTransform(1, 0, 0, -1, 0, 50) << "R F L H";
    }
    void lettersFollowATurnedPicture()
    {
        QFETCH(QTransform, toShown);
        QFETCH(QString, letters);
        Frame frame = plain(100, 50);
        frame.edges = EdgeLetters{"R", "H", "L", "F"};
        frame.toShown = toShown;
        frame.shown = frame.pixels.transformed(toShown);
        const auto view = viewOf(frame, 1);
        QCOMPARE(QStringList({view->edgeLetters(Qt::LeftEdge), view->edgeLetters(Qt::TopEdge),
                              view->edgeLetters(Qt::RightEdge), view->edgeLetters(Qt::BottomEdge)})
                     .join(' '),
                 letters);
    }

    void lettersAreDrawnWithTheCornerText()
    {
        Frame frame = plain(400, 300, Qt::black);
        frame.edges = EdgeLetters{"RA", "H", "LP", "F"};
        const auto view = viewOf(frame, 1);
        const auto lit = [&](const QRect& where) {
            const QImage image = view->grab().toImage();
            for (int y = where.top(); y <= where.bottom(); ++y) {
                for (int x = where.left(); x <= where.right(); ++x) {
                    if (qGray(image.pixel(x, y)) > 128) {
                        return true;
                    }
                }
            }
            return false;
        };
        const QList<QRect> places{
            {4, 130, 56, 40}, {180, 4, 40, 36}, {340, 130, 54, 40}, {180, 260, 40, 35}};
        for (const QRect& place : places) {
            QVERIFY(!lit(place));
        }
        view->setCornerTextVisible(true);
        for (const QRect& place : places) {
            QVERIFY(lit(place));
        }
    }
};

QTEST_MAIN(ImageViewTest)
#include "image_view_test.moc"
