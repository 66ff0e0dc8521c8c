#include "dicom/frame.h"

#include <QElapsedTimer>
#include <QTest>

#include <cmath>
#include <limits>

using dicom::Window;

/// Expected levels are worked out by hand from PS3.3 C.11.2.1.2 and C.11.2.1.3.
class RenderTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void linearFollowsTheStandard_data();
    void linearFollowsTheStandard();
    void tableAndDirectPathAgree();
    void invertedIsTheComplement();
    void lookupTableClampsAtItsEnds();
    void colourComesBackUnchanged();
    void defaultWindowIsTheFilesFirstElseTheRange();
    void notANumberIsBlack();
    void sliceIsRenderedInMilliseconds();
};

namespace {

dicom::Frame frameOf(std::vector<float> gray)
{
    dicom::Frame frame;
    frame.width = static_cast<int>(gray.size());
    frame.height = 1;
    frame.gray = std::move(gray);
    return frame;
}

int level(float value, const Window& window)
{
    return dicom::render(frameOf({value}), window).at(0);
}

Window window(double center, double width, Window::Function function = Window::Function::Linear)
{
    Window result;
    result.center = center;
    result.width = width;
    result.function = function;
    return result;
}

}  // namespace

void RenderTest::linearFollowsTheStandard_data()
{
    QTest::addColumn<int>("function");
    QTest::addColumn<double>("center");
    QTest::addColumn<double>("width");
    QTest::addColumn<float>("value");
    QTest::addColumn<int>("expected");
    const int linear = 0, exact = 1, sigmoid = 2;
    // The example of C.11.2.1.2.1: c = 2048, w = 4096 maps 0..4095 onto the whole range.
    QTest::newRow("full range low") << linear << 2048.0 << 4096.0 << 0.0F << 0;
    QTest::newRow("full range high") << linear << 2048.0 << 4096.0 << 4095.0F << 255;
    QTest::newRow("full range middle") << linear << 2048.0 << 4096.0 << 2047.0F << 127;  // 127.469
    QTest::newRow("full range above middle")
        << linear << 2048.0 << 4096.0 << 2048.0F << 128;  // 127.531
    QTest::newRow("width 1 at 0: below")
        << linear << 0.0 << 1.0 << -1.0F << 0;  // threshold at -0.5
    QTest::newRow("width 1 at 0: at") << linear << 0.0 << 1.0 << 0.0F << 255;
    QTest::newRow("CT soft tissue low") << linear << 40.0 << 400.0 << -160.0F << 0;
    QTest::newRow("CT soft tissue high") << linear << 40.0 << 400.0 << 239.0F << 255;
    QTest::newRow("CT soft tissue 40") << linear << 40.0 << 400.0 << 40.0F << 128;  // 127.82
    QTest::newRow("exact low") << exact << 128.0 << 256.0 << 0.0F << 0;
    QTest::newRow("exact high is not reached")
        << exact << 128.0 << 256.0 << 255.0F << 254;                            // 254.004
    QTest::newRow("exact middle") << exact << 128.0 << 256.0 << 128.0F << 128;  // 127.5 rounds up
    QTest::newRow("width below 1 is exact") << linear << 0.5 << 0.5 << 0.5F << 128;
    QTest::newRow("sigmoid centre") << sigmoid << 100.0 << 50.0 << 100.0F << 128;  // 127.5
    QTest::newRow("sigmoid quarter")
        << sigmoid << 100.0 << 50.0 << 75.0F << 30;  // 255 / (1 + e^2) = 30.396
    QTest::newRow("sigmoid far") << sigmoid << 100.0 << 50.0 << 1000.0F << 255;
}

void RenderTest::linearFollowsTheStandard()
{
    QFETCH(int, function);
    QFETCH(double, center);
    QFETCH(double, width);
    QFETCH(float, value);
    QFETCH(int, expected);
    QCOMPARE(level(value, window(center, width, static_cast<Window::Function>(function))),
             expected);
}

void RenderTest::tableAndDirectPathAgree()
{
    std::vector<float> whole;
    for (int i = -3000; i < 3000; ++i) {
        whole.push_back(static_cast<float>(i));
    }
    std::vector<float> broken = whole;
    broken.push_back(0.5F);  // one value that isn't whole: no table
    for (const auto function :
         {Window::Function::Linear, Window::Function::LinearExact, Window::Function::Sigmoid}) {
        const auto a = dicom::render(frameOf(whole), window(37.5, 333, function));
        auto b = dicom::render(frameOf(broken), window(37.5, 333, function));
        b.resize(a.size());
        QVERIFY(a == b);
    }
}

void RenderTest::invertedIsTheComplement()
{
    dicom::Frame frame = frameOf({0, 50, 100, 200, 255});
    const auto plain = dicom::render(frame, window(128, 256));
    frame.inverted = true;
    const auto inverted = dicom::render(frame, window(128, 256));
    for (std::size_t i = 0; i < plain.size(); ++i) {
        QCOMPARE(plain[i] + inverted[i], 255);
    }
}

void RenderTest::lookupTableClampsAtItsEnds()
{
    Window table;
    table.tableStart = 10;
    table.table = {0.2F, 0.4F, 1.0F};
    QCOMPARE(level(-5, table), 51);
    QCOMPARE(level(10, table), 51);
    QCOMPARE(level(11, table), 102);
    QCOMPARE(level(12, table), 255);
    QCOMPARE(level(900, table), 255);
}

void RenderTest::colourComesBackUnchanged()
{
    dicom::Frame frame;
    frame.width = frame.height = 1;
    frame.rgb = {1, 2, 3};
    QVERIFY(dicom::render(frame, window(0, 1)) == frame.rgb);
}

void RenderTest::defaultWindowIsTheFilesFirstElseTheRange()
{
    dicom::Frame frame = frameOf({-10, 30});
    frame.minimum = -10;
    frame.maximum = 30;
    const auto levels = dicom::render(frame, dicom::defaultWindow(frame));
    QCOMPARE(int(levels[0]), 0);
    QCOMPARE(int(levels[3]), 255);
    frame.windows = {window(5, 7), window(8, 9)};
    QCOMPARE(dicom::defaultWindow(frame).center, 5.0);
    frame.windows.clear();
    frame.maximum = frame.minimum;  // a picture of one value
    QVERIFY(dicom::defaultWindow(frame).width > 0);
}

void RenderTest::notANumberIsBlack()
{
    const float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();
    for (const auto function :
         {Window::Function::Linear, Window::Function::LinearExact, Window::Function::Sigmoid}) {
        QCOMPARE(level(nan, window(0, 10, function)), 0);
        QCOMPARE(level(infinity, window(0, 10, function)), 255);
        QCOMPARE(level(-infinity, window(0, 10, function)), 0);
    }
}

void RenderTest::sliceIsRenderedInMilliseconds()
{
    std::vector<float> gray(512 * 512);
    for (std::size_t i = 0; i < gray.size(); ++i) {
        gray[i] = static_cast<float>(static_cast<int>(i * 7919 % 4096) - 1024);
    }
    const dicom::Frame frame = frameOf(gray);
    qint64 best = std::numeric_limits<qint64>::max();
    for (int i = 0; i < 20; ++i) {
        QElapsedTimer timer;
        timer.start();
        const auto rgb = dicom::render(frame, window(40, 400));
        best = std::min(best, timer.nsecsElapsed());
        QVERIFY(!rgb.empty());
    }
    qInfo("512 x 512 in %.2f ms", static_cast<double>(best) / 1e6);
#ifndef KVL_SANITIZE  // some 20 times slower; the window wants 60 pictures a second
    QVERIFY2(best < 100'000'000, "re-windowing a slice takes longer than 100 ms");
#endif
}

QTEST_APPLESS_MAIN(RenderTest)
#include "render_test.moc"
