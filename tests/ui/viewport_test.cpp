#include "ui/view/viewport.h"

#include "support/generated_document.h"

#include <QSignalSpy>
#include <QSlider>
#include <QTest>

using namespace ui;
using test::GeneratedDocument;

namespace {

struct Opened {
    std::unique_ptr<OpenDocument> document;
    std::shared_ptr<test::DocumentLog> log;
};

Opened opened(int count, const std::function<void(GeneratedDocument&)>& change = {})
{
    auto document = std::make_unique<GeneratedDocument>();
    document->count = count;
    if (change) {
        change(*document);
    }
    const auto log = document->log;
    return {std::make_unique<OpenDocument>(std::move(document)), log};
}

}  // namespace

class ViewportTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aDocumentShowsItsFirstFrame()
    {
        Viewport viewport;
        QSignalSpy shown(&viewport, &Viewport::frameShown);
        const Opened one = opened(5);
        viewport.setDocument(one.document.get());
        QTRY_COMPARE(viewport.frame().ref.index, 0);
        QTRY_VERIFY(!viewport.isWaiting());
        QCOMPARE(viewport.frame().pixels.pixelColor(3, 4), QColor(7, 7, 7));
        QCOMPARE(shown.last().first().value<Frame>().label, "slice 1 of 5");
    }

    void keysStepThroughFramesAndStopAtTheEnds()
    {
        Viewport viewport;
        const Opened one = opened(30);
        viewport.setDocument(one.document.get());
        QTest::keyClick(&viewport, Qt::Key_Left);
        QCOMPARE(viewport.currentIndex(), 0);
        QTest::keyClick(&viewport, Qt::Key_Down);
        QTest::keyClick(&viewport, Qt::Key_Right);
        QCOMPARE(viewport.currentIndex(), 2);
        QTest::keyClick(&viewport, Qt::Key_PageDown);
        QCOMPARE(viewport.currentIndex(), 12);
        QTest::keyClick(&viewport, Qt::Key_End);
        QCOMPARE(viewport.currentIndex(), 29);
        QTest::keyClick(&viewport, Qt::Key_PageDown);
        QCOMPARE(viewport.currentIndex(), 29);
        QTRY_COMPARE(viewport.frame().ref.index, 29);
        QCOMPARE(viewport.findChild<QSlider*>()->value(), 29);
        QTest::keyClick(&viewport, Qt::Key_Home);
        QTRY_COMPARE(viewport.frame().ref.index, 0);
    }

    void pageKeysLeafThroughAPaperAndReachEverySliceOfAShortSeries()
    {
        Viewport viewport;
        const Opened paper = opened(7, [](GeneratedDocument& document) { document.noun = "page"; });
        viewport.setDocument(paper.document.get());
        QTest::keyClick(&viewport, Qt::Key_PageDown);
        QCOMPARE(viewport.currentIndex(), 1);
        QTest::keyClick(&viewport, Qt::Key_PageUp);
        QCOMPARE(viewport.currentIndex(), 0);
        QTRY_COMPARE(viewport.findChild<QSlider*>()->pageStep(), 1);
        const Opened series = opened(4);
        viewport.setDocument(series.document.get());
        QTest::keyClick(&viewport, Qt::Key_PageDown);
        QCOMPARE(viewport.currentIndex(), 1);
    }

    void aLateFrameLeavesTheLastGoodOneShown()
    {
        Viewport viewport;
        viewport.show();
        const Opened one = opened(5);
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        one.log->held = true;
        viewport.setCurrentIndex(3);
        QTest::qWait(20);
        QVERIFY(viewport.isWaiting());
        QCOMPARE(viewport.frame().ref.index, 0);
        auto* line = viewport.findChild<QWidget*>(QStringLiteral("busyLine"));
        QVERIFY(line && !line->isVisible());  // not for what comes at once
        QTRY_VERIFY(line->isVisible());
        QCOMPARE(line->height(), 2);
        one.log->held = false;
        QTRY_COMPARE(viewport.frame().ref.index, 3);
        QVERIFY(!line->isVisible());
    }

    void aFrameThatFailsShowsItsSentenceAndNoOtherPicture()
    {
        Viewport viewport;
        const Opened one = opened(5, [](GeneratedDocument& document) { document.failing = 2; });
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        QSignalSpy shown(&viewport, &Viewport::frameShown);
        viewport.setCurrentIndex(2);
        QTRY_COMPARE(viewport.errorSentence(), "frame 2 of generated is cut off");
        QVERIFY(viewport.frame().pixels.isNull());
        QVERIFY(!viewport.attachment().has_value());
        QCOMPARE(shown.count(), 1);
        viewport.setCurrentIndex(3);
        QTRY_COMPARE(viewport.frame().ref.index, 3);
        QVERIFY(viewport.errorSentence().isEmpty());
    }

    void theWindowIsShownBeforeItsFrameIsMade()
    {
        QLocale::setDefault(QLocale(QLocale::English));
        Viewport viewport;
        const Opened one = opened(1);
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        QSignalSpy changed(&viewport, &Viewport::windowChanged);
        one.log->held = true;
        viewport.setWindow(WindowLevel{-600, 1500});
        QCOMPARE(viewport.view()->cornerText(Qt::BottomLeftCorner).first(), "C -600  W 1500 HU");
        QCOMPARE(changed.count(), 1);
        QCOMPARE(viewport.frame().window->width, 400.0);
        one.log->held = false;
        QTRY_COMPARE(viewport.frame().window->width, 1500.0);
    }

    void ofManyWindowsTheLatestWins()
    {
        Viewport viewport;
        const Opened one = opened(1);
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        const int before = one.log->frames;
        one.log->held = true;
        for (int i = 1; i <= 200; ++i) {
            viewport.setWindow(WindowLevel{double(i), 400});
        }
        one.log->held = false;
        QTRY_VERIFY(!viewport.isWaiting());
        QCOMPARE(viewport.frame().window->center, 200.0);
        QVERIFY(one.log->frames - before <= 3);
        QCOMPARE(viewport.attachment()->options.window->center, 200.0);
    }

    void anAttachmentNamesTheOptionsItsFrameWasMadeWith()
    {
        Viewport viewport;
        const Opened one = opened(3);
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        viewport.setRegion({4, 4, 10, 8});
        one.log->held = true;
        viewport.setWindow(WindowLevel{300, 800});
        const auto attached = viewport.attachment();  // the new frame is not there yet
        one.log->held = false;
        QVERIFY(!attached->options.window.has_value());
        QCOMPARE(attached->frame.window->center, 40.0);
        QCOMPARE(attached->region, QRect(4, 4, 10, 8));
        QCOMPARE(attached->title, "generated · slice 1 of 3");
    }

    void presetsAndInvertHaveKeys()
    {
        Viewport viewport;
        const Opened one = opened(1);
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        QTest::keyClick(&viewport, Qt::Key_2);
        QCOMPARE(viewport.options().window->center, 400.0);
        QTest::keyClick(&viewport, Qt::Key_9);  // there are two
        QCOMPARE(viewport.options().window->center, 400.0);
        QTest::keyClick(&viewport, Qt::Key_0);
        QVERIFY(!viewport.options().window.has_value());
        QTest::keyClick(&viewport, Qt::Key_I);
        QTRY_COMPARE(viewport.frame().pixels.pixelColor(3, 4), QColor(248, 248, 248));
    }

    void toolsHaveKeys_data()
    {
        QTest::addColumn<Qt::Key>("key");
        QTest::addColumn<Tool>("tool");
        QTest::newRow("R") << Qt::Key_R << Tool::Region;
        QTest::newRow("M") << Qt::Key_M << Tool::Measure;
        QTest::newRow("W") << Qt::Key_W << Tool::Window;
        QTest::newRow("P") << Qt::Key_P << Tool::Pan;
    }
    void toolsHaveKeys()
    {
        QFETCH(Qt::Key, key);
        QFETCH(Tool, tool);
        Viewport viewport;
        QSignalSpy changed(&viewport, &Viewport::toolChanged);
        QTest::keyClick(&viewport, key);
        QCOMPARE(viewport.tool(), tool);
        QCOMPARE(changed.count(), 1);
    }

    void keysOfTheWindowComeAsSignals()
    {
        Viewport viewport;
        QSignalSpy ask(&viewport, &Viewport::askRequested);
        QSignalSpy compose(&viewport, &Viewport::composeRequested);
        QSignalSpy next(&viewport, &Viewport::nextRequested);
        QSignalSpy stop(&viewport, &Viewport::stopRequested);
        QTest::keyClick(&viewport, Qt::Key_Return, Qt::ControlModifier);
        QTest::keyClick(&viewport, Qt::Key_Return);
        QTest::keyClick(&viewport, Qt::Key_Space);
        QTest::keyClick(&viewport, Qt::Key_Period, Qt::ControlModifier);
        QCOMPARE(QList<int>({int(ask.count()), int(compose.count()), int(next.count()),
                             int(stop.count())}),
                 QList<int>({1, 1, 1, 1}));
        QVERIFY(viewport.isCornerTextVisible());
        QTest::keyClick(&viewport, Qt::Key_H, Qt::ControlModifier);
        QVERIFY(!viewport.isCornerTextVisible());
        QTest::keyClick(&viewport, Qt::Key_T);
        QVERIFY(viewport.isTileGridVisible());
    }

    void escapeClearsTheRegion()
    {
        Viewport viewport;
        const Opened one = opened(1);
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        viewport.setRegion({4, 4, 10, 8});
        QTest::keyClick(&viewport, Qt::Key_Escape);
        QVERIFY(viewport.region().isNull());
    }

    void eachDocumentKeepsItsFrameWindowRegionAndZoom()
    {
        Viewport viewport;
        viewport.resize(400, 400);
        viewport.show();
        const Opened one = opened(9), other = opened(4);
        viewport.setDocument(one.document.get());
        viewport.setCurrentIndex(6);
        QTRY_COMPARE(viewport.frame().ref.index, 6);
        viewport.setWindow(WindowLevel{-600, 1500});
        viewport.setRegion({4, 4, 10, 8});
        QTRY_VERIFY(!viewport.isWaiting());
        viewport.view()->setZoom(9);
        viewport.setDocument(other.document.get());
        QVERIFY(viewport.frame().pixels.isNull());  // not the other document's picture
        QTRY_VERIFY(!viewport.isWaiting());
        QVERIFY(viewport.region().isNull());
        QVERIFY(viewport.view()->isFitted());
        QVERIFY(!viewport.options().window.has_value());
        viewport.setDocument(one.document.get());
        QCOMPARE(viewport.currentIndex(), 6);
        QTRY_VERIFY(!viewport.isWaiting());
        QCOMPARE(viewport.frame().window->width, 1500.0);
        QCOMPARE(viewport.region(), QRect(4, 4, 10, 8));
        QCOMPARE(viewport.view()->zoom(), 9.0);
    }

    void theRegionStaysFromSliceToSlice()
    {
        Viewport viewport;
        const Opened one = opened(3);
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        viewport.setRegion({4, 4, 10, 8});
        viewport.setCurrentIndex(1);
        QTRY_COMPARE(viewport.frame().ref.index, 1);
        QCOMPARE(viewport.region(), QRect(4, 4, 10, 8));
    }

    void aReferenceIsShownWithItsWindowAndRegion()
    {
        Viewport viewport;
        const Opened one = opened(5);
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        FrameOptions options;
        options.window = WindowLevel{400, 1800};
        viewport.showFrame(4, options, {2, 2, 8, 8});
        QTRY_VERIFY(!viewport.isWaiting());
        QCOMPARE(viewport.frame().ref.index, 4);
        QCOMPARE(viewport.frame().window->width, 1800.0);
        QCOMPARE(viewport.region(), QRect(2, 2, 8, 8));
    }

    void framesThatOthersAskedForAreNotShown()
    {
        Viewport viewport;
        const Opened one = opened(5);
        viewport.setDocument(one.document.get());
        QTRY_VERIFY(!viewport.isWaiting());
        QSignalSpy ready(one.document.get(), &OpenDocument::frameReady);
        one.document->requestFrame(4);
        QTRY_COMPARE(ready.count(), 1);
        QCOMPARE(viewport.frame().ref.index, 0);
    }

    void aClosedDocumentLeavesNothingShown()
    {
        Viewport viewport;
        QSignalSpy changed(&viewport, &Viewport::documentChanged);
        {
            const Opened one = opened(5);
            viewport.setDocument(one.document.get());
            QTRY_VERIFY(!viewport.isWaiting());
        }
        QVERIFY(viewport.frame().pixels.isNull());
        QVERIFY(!viewport.document());
        QCOMPARE(changed.count(), 2);
        QVERIFY(!changed.last().first().value<OpenDocument*>());
    }
};

QTEST_MAIN(ViewportTest)
#include "viewport_test.moc"
