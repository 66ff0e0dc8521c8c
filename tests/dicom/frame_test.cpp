#include "dicom/frame.h"
#include "support/synthetic_dicom.h"

#include <QTemporaryDir>
#include <QTest>

#include <thread>

using test::SyntheticDicom;
using Bytes = SyntheticDicom::Bytes;

/// Small pictures written by the test; expected values are worked out by hand.
class FrameTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void signedValuesBelowTheStoredBitsAreExtended();
    void overlayBitsAreNotPartOfTheValue();
    void rescaleGivesHounsfieldUnitsForCt();
    void modalityTableReplacesRescale();
    void windowsKeepOrderExplanationAndFunction();
    void windowWithoutWidthIsIgnored();
    void voiTableComesBeforeWindows();
    void perFrameGroupsGoBeforeSharedOnes();
    void monochrome1AndInverseShapeInvertOnce();
    void paddingIsLeftOutOfTheRange();
    void spacingNamesItsSource_data();
    void spacingNamesItsSource();
    void paletteOf16BitsIsCutTo8_data();
    void paletteOf16BitsIsCutTo8();
    void segmentedPaletteIsExpanded();
    void planesAreInterleaved();
    void ybrBecomesRgb();
    void oneBitFramesArePackedWithoutGaps();
    void bigEndianWordsAreSwapped();
    void floatPixelsAreRead();
    void rleFrameIsDecoded();
    void framesAreFoundByOffsetTableOrStartOfStream();
    void frameOutOfRangeSaysHowManyThereAre();
    void stopRequestedCancels();
    void framesDecodeOnManyThreads();
    void picturesThatCannotBeShownSayWhy_data();
    void picturesThatCannotBeShownSayWhy();

private:
    dicom::Dataset open(const SyntheticDicom& dicom,
                        std::string_view syntax = "1.2.840.10008.1.2.1")
    {
        return dicom::Dataset::read(SyntheticDicom::write(
            m_folder.filePath(QStringLiteral("%1.dcm").arg(++m_count)).toStdString(),
            dicom.file(syntax)));
    }
    QTemporaryDir m_folder;
    int m_count = 0;
};

namespace {

SyntheticDicom window(const char* center, const char* width)
{
    return SyntheticDicom().text(0x0028, 0x1050, "DS", center).text(0x0028, 0x1051, "DS", width);
}

SyntheticDicom rescale(const char* intercept, const char* slope)
{
    return SyntheticDicom()
        .text(0x0028, 0x1052, "DS", intercept)
        .text(0x0028, 0x1053, "DS", slope)
        .text(0x0028, 0x1054, "LO", "HU");
}

SyntheticDicom palette(const std::vector<int>& descriptor, const std::vector<int>& red,
                       const std::vector<int>& green, const std::vector<int>& blue,
                       int dataElement = 0x1201)
{
    SyntheticDicom dicom = SyntheticDicom::gray(4, 1, {});
    dicom.text(0x0028, 0x0004, "CS", "PALETTE COLOR");
    dicom.shorts(0x0028, 0x0100, "US", {8})
        .shorts(0x0028, 0x0101, "US", {8})
        .shorts(0x0028, 0x0102, "US", {7});
    dicom.bytes(0x7FE0, 0x0010, "OB", {0, 1, 2, 200});
    const std::vector<int>* tables[] = {&red, &green, &blue};
    for (int i = 0; i < 3; ++i) {
        dicom.shorts(0x0028, static_cast<std::uint16_t>(0x1101 + i), "US", descriptor);
        dicom.shorts(0x0028, static_cast<std::uint16_t>(dataElement + i), "OW", *tables[i]);
    }
    return dicom;
}

std::string refusal(const dicom::Dataset& dataset, int index = 0)
{
    try {
        dicom::decodeFrame(dataset, index);
    } catch (const dicom::Error& error) {
        return error.what();
    }
    return "";
}

/// One byte plane as literal runs.
Bytes rleSegment(const Bytes& plane)
{
    Bytes out{static_cast<std::uint8_t>(plane.size() - 1)};
    SyntheticDicom::append(out, plane);
    return out;
}

Bytes rleFrame(const std::vector<Bytes>& segments)
{
    Bytes head(64), body;
    head[0] = static_cast<std::uint8_t>(segments.size());
    for (std::size_t i = 0; i < segments.size(); ++i) {
        head[4 + 4 * i] = static_cast<std::uint8_t>(64 + body.size());
        SyntheticDicom::append(body, segments[i]);
    }
    SyntheticDicom::append(head, body);
    return head;
}

}  // namespace

void FrameTest::signedValuesBelowTheStoredBitsAreExtended()
{
    const auto frame = dicom::decodeFrame(
        open(SyntheticDicom::gray(4, 1, {0x0FFF, 0x0800, 0x07FF, 0x0001}, true, 12)), 0);
    QVERIFY(frame.gray == std::vector<float>({-1, -2048, 2047, 1}));
    QCOMPARE(frame.minimum, -2048.0F);
    QCOMPARE(frame.maximum, 2047.0F);
}

void FrameTest::overlayBitsAreNotPartOfTheValue()
{
    const auto frame = dicom::decodeFrame(
        open(SyntheticDicom::gray(3, 1, {0x1005, 0xF006, 0x8007}, false, 12)), 0);
    QVERIFY(frame.gray == std::vector<float>({5, 6, 7}));
    SyntheticDicom high = SyntheticDicom::gray(2, 1, {0x0050, 0x006F}, false, 12);
    high.shorts(0x0028, 0x0102, "US", {15});  // the value lies in the upper 12 bits
    QVERIFY(dicom::decodeFrame(open(high), 0).gray == std::vector<float>({5, 6}));
}

void FrameTest::rescaleGivesHounsfieldUnitsForCt()
{
    SyntheticDicom dicom = SyntheticDicom::gray(2, 1, {0, 1064});
    dicom.text(0x0008, 0x0060, "CS", "CT")
        .text(0x0028, 0x1052, "DS", "-1024")
        .text(0x0028, 0x1053, "DS", "1.0");
    const auto frame = dicom::decodeFrame(open(dicom), 0);
    QVERIFY(frame.gray == std::vector<float>({-1024, 40}));
    QCOMPARE(frame.unit, std::string("HU"));
    dicom.text(0x0028, 0x1054, "LO", "US");  // unspecified
    QCOMPARE(dicom::decodeFrame(open(dicom), 0).unit, std::string());
}

void FrameTest::modalityTableReplacesRescale()
{
    SyntheticDicom dicom = SyntheticDicom::gray(4, 1, {0, 5, 6, 900});
    dicom.text(0x0028, 0x1052, "DS", "7").text(0x0028, 0x1053, "DS", "3");
    dicom.sequence(0x0028, 0x3000,
                   {SyntheticDicom()
                        .shorts(0x0028, 0x3002, "US", {3, 5, 16})
                        .text(0x0028, 0x3004, "LO", "OD")
                        .shorts(0x0028, 0x3006, "OW", {100, 300, 60000})});
    const auto frame = dicom::decodeFrame(open(dicom), 0);
    QVERIFY(frame.gray == std::vector<float>({100, 100, 300, 60000}));
    QCOMPARE(frame.unit, std::string("OD"));
}

void FrameTest::windowsKeepOrderExplanationAndFunction()
{
    SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {0});
    dicom.text(0x0028, 0x1050, "DS", "40\\-600")
        .text(0x0028, 0x1051, "DS", "400\\1500")
        .text(0x0028, 0x1055, "LO", "SOFT TISSUE\\LUNG")
        .text(0x0028, 0x1056, "CS", "SIGMOID");
    const auto windows = dicom::decodeFrame(open(dicom), 0).windows;
    QCOMPARE(windows.size(), std::size_t(2));
    QCOMPARE(windows[0].explanation, std::string("SOFT TISSUE"));
    QCOMPARE(windows[1].explanation, std::string("LUNG"));
    QCOMPARE(windows[1].center, -600.0);
    QCOMPARE(windows[1].width, 1500.0);
    QVERIFY(windows[1].function == dicom::Window::Function::Sigmoid);
}

void FrameTest::windowWithoutWidthIsIgnored()
{
    SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {0});
    dicom.text(0x0028, 0x1050, "DS", "40\\50\\60").text(0x0028, 0x1051, "DS", "0\\-5\\7");
    const auto windows = dicom::decodeFrame(open(dicom), 0).windows;
    QCOMPARE(windows.size(), std::size_t(1));
    QCOMPARE(windows[0].center, 60.0);
}

void FrameTest::voiTableComesBeforeWindows()
{
    SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {0});
    dicom.text(0x0028, 0x1050, "DS", "40").text(0x0028, 0x1051, "DS", "400");
    dicom.sequence(0x0028, 0x3010,
                   {SyntheticDicom()
                        .shorts(0x0028, 0x3002, "SS", {4, -2, 10})
                        .text(0x0028, 0x3003, "LO", "BONE")
                        .shorts(0x0028, 0x3006, "OW", {0, 341, 682, 1023})});
    const auto windows = dicom::decodeFrame(open(dicom), 0).windows;
    QCOMPARE(windows.size(), std::size_t(2));
    QCOMPARE(windows[0].explanation, std::string("BONE"));
    QCOMPARE(windows[0].tableStart, -2.0);
    QVERIFY(windows[0].table == std::vector<float>({0, 341.0F / 1023, 682.0F / 1023, 1}));
}

void FrameTest::perFrameGroupsGoBeforeSharedOnes()
{
    SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {10, 10});
    dicom.text(0x0028, 0x0008, "IS", "2");
    SyntheticDicom shared = SyntheticDicom()
                                .sequence(0x0028, 0x9145, {rescale("-1000", "1")})
                                .sequence(0x0028, 0x9132, {window("1", "2")});
    SyntheticDicom own = SyntheticDicom()
                             .sequence(0x0028, 0x9145, {rescale("5", "2")})
                             .sequence(0x0028, 0x9132, {window("3", "4")});
    SyntheticDicom empty = SyntheticDicom().text(0x0020, 0x9157, "UL", "abcd");
    dicom.sequence(0x5200, 0x9229, {shared}).sequence(0x5200, 0x9230, {empty, own});
    const auto dataset = open(dicom);
    const auto first = dicom::decodeFrame(dataset, 0), second = dicom::decodeFrame(dataset, 1);
    QCOMPARE(first.gray[0], -990.0F);
    QCOMPARE(second.gray[0], 25.0F);
    QCOMPARE(first.unit, std::string("HU"));
    QCOMPARE(first.windows.at(0).center, 1.0);
    QCOMPARE(second.windows.at(0).center, 3.0);
}

void FrameTest::monochrome1AndInverseShapeInvertOnce()
{
    SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {0});
    QVERIFY(!dicom::decodeFrame(open(dicom), 0).inverted);
    dicom.text(0x2050, 0x0020, "CS", "INVERSE");
    QVERIFY(dicom::decodeFrame(open(dicom), 0).inverted);
    dicom.text(0x0028, 0x0004, "CS", "MONOCHROME1");
    QVERIFY(dicom::decodeFrame(open(dicom), 0).inverted);
}

void FrameTest::paddingIsLeftOutOfTheRange()
{
    SyntheticDicom dicom = SyntheticDicom::gray(4, 1, {-2000, -1990, 5, 9}, true);
    dicom.shorts(0x0028, 0x0120, "US", {-2000});  // wrong VR for signed pixels, as in many files
    auto frame = dicom::decodeFrame(open(dicom), 0);
    QCOMPARE(frame.minimum, -1990.0F);
    QCOMPARE(frame.padding.value_or(0), -2000.0F);
    dicom.shorts(0x0028, 0x0121, "SS", {-1980});
    frame = dicom::decodeFrame(open(dicom), 0);
    QCOMPARE(frame.minimum, 5.0F);
    QCOMPARE(frame.maximum, 9.0F);
}

void FrameTest::spacingNamesItsSource_data()
{
    QTest::addColumn<QString>("pixel");
    QTest::addColumn<QString>("imager");
    QTest::addColumn<double>("row");
    QTest::addColumn<QString>("source");
    QTest::newRow("pixel spacing") << "0.5\\0.25"
                                   << "" << 0.5 << "Pixel Spacing";
    QTest::newRow("calibrated") << "0.5\\0.25"
                                << "0.6\\0.3" << 0.5 << "Pixel Spacing";
    QTest::newRow("not calibrated") << "0.5\\0.25"
                                    << "0.5\\0.25" << 0.5 << "Pixel Spacing (detector plane)";
    QTest::newRow("imager only") << ""
                                 << "0.6\\0.3" << 0.6 << "Imager Pixel Spacing (detector plane)";
    QTest::newRow("zero") << "0\\0"
                          << "" << 0.0 << "";
    QTest::newRow("negative") << "-0.5\\0.5"
                              << "" << 0.0 << "";
    QTest::newRow("one value") << "0.5"
                               << "" << 0.0 << "";
    QTest::newRow("words") << "a\\b"
                           << "" << 0.0 << "";
}

void FrameTest::spacingNamesItsSource()
{
    QFETCH(QString, pixel);
    QFETCH(QString, imager);
    QFETCH(double, row);
    QFETCH(QString, source);
    SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {0});
    if (!pixel.isEmpty()) {
        dicom.text(0x0028, 0x0030, "DS", pixel.toStdString());
    }
    if (!imager.isEmpty()) {
        dicom.text(0x0018, 0x1164, "DS", imager.toStdString());
    }
    const auto spacing = dicom::decodeFrame(open(dicom), 0).spacing;
    QCOMPARE(spacing.has_value(), row > 0);
    if (spacing) {
        QCOMPARE(spacing->row, row);
        QCOMPARE(spacing->column, row / 2);
        QCOMPARE(QString::fromStdString(spacing->source), source);
    }
}

void FrameTest::paletteOf16BitsIsCutTo8_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<int>("factor");
    QTest::newRow("16 bits") << 16 << 256;
    QTest::newRow("16 bits that hold 8") << 16 << 1;
    QTest::newRow("8 bits") << 8 << 1;
}

void FrameTest::paletteOf16BitsIsCutTo8()
{
    QFETCH(int, bits);
    QFETCH(int, factor);
    const auto times = [&](std::vector<int> values) {
        for (int& value : values) {
            value *= factor;
        }
        return values;
    };
    const auto frame = dicom::decodeFrame(
        open(palette({2, 1, bits}, times({10, 20}), times({0, 255}), times({7, 8}))), 0);
    QVERIFY(frame.gray.empty());
    // entries begin at 1: below and above it the ends are taken
    QVERIFY(frame.rgb == Bytes({10, 0, 7, 10, 0, 7, 20, 255, 8, 20, 255, 8}));
}

void FrameTest::segmentedPaletteIsExpanded()
{
    // two given values, then a line to 0xFF00 in four steps, then the first segment again
    const std::vector<int> red{0, 2, 0x0000, 0x0000, 1, 4, 0xFF00, 2, 1, 0, 0};
    const std::vector<int> flat{0, 1, 0x0500, 1, 7, 0x0500};
    SyntheticDicom dicom = palette({8, 0, 16}, red, flat, flat, 0x1221);
    dicom.bytes(0x7FE0, 0x0010, "OB", {1, 2, 5, 7});
    const auto frame = dicom::decodeFrame(open(dicom), 0);
    QCOMPARE(int(frame.rgb[0]), 0);
    QCOMPARE(int(frame.rgb[3]), 0x3F);  // a quarter of 0xFF00 is 0x3FC0
    QCOMPARE(int(frame.rgb[6]), 0xFF);
    QCOMPARE(int(frame.rgb[9]), 0);
    QCOMPARE(int(frame.rgb[10]), 5);
}

void FrameTest::planesAreInterleaved()
{
    SyntheticDicom dicom = SyntheticDicom::color(2, 1, "RGB", {1, 2, 3, 4, 5, 6});
    QVERIFY(dicom::decodeFrame(open(dicom), 0).rgb == Bytes({1, 2, 3, 4, 5, 6}));
    dicom.shorts(0x0028, 0x0006, "US", {1});
    QVERIFY(dicom::decodeFrame(open(dicom), 0).rgb == Bytes({1, 3, 5, 2, 4, 6}));
}

void FrameTest::ybrBecomesRgb()
{
    // pure red, green, blue in YBR_FULL (C.7.6.3.1.2), and their RGB back again within rounding
    const auto frame = dicom::decodeFrame(
        open(SyntheticDicom::color(3, 1, "YBR_FULL", {76, 85, 255, 150, 44, 21, 29, 255, 107})), 0);
    const Bytes expected{254, 0, 0, 0, 255, 1, 0, 0, 254};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        QVERIFY2(std::abs(frame.rgb[i] - expected[i]) <= 1, qPrintable(QString::number(i)));
    }
    const auto half = dicom::decodeFrame(
        open(SyntheticDicom::color(2, 1, "YBR_FULL_422", {100, 50, 128, 128})), 0);
    QVERIFY(half.rgb == Bytes({100, 100, 100, 50, 50, 50}));
}

void FrameTest::oneBitFramesArePackedWithoutGaps()
{
    SyntheticDicom dicom = SyntheticDicom::gray(3, 1, {});
    dicom.shorts(0x0028, 0x0100, "US", {1})
        .shorts(0x0028, 0x0101, "US", {1})
        .shorts(0x0028, 0x0102, "US", {0});
    dicom.text(0x0028, 0x0008, "IS", "4").bytes(0x7FE0, 0x0010, "OB", {0b10'011'101, 0b0000'110'0});
    const auto dataset = open(dicom);
    QVERIFY(dicom::decodeFrame(dataset, 0).gray == std::vector<float>({1, 0, 1}));
    QVERIFY(dicom::decodeFrame(dataset, 1).gray == std::vector<float>({1, 1, 0}));
    QVERIFY(dicom::decodeFrame(dataset, 2).gray == std::vector<float>({0, 1, 0}));
    QVERIFY(dicom::decodeFrame(dataset, 3).gray == std::vector<float>({0, 1, 1}));
}

void FrameTest::bigEndianWordsAreSwapped()
{
    const SyntheticDicom dicom = SyntheticDicom::gray(3, 1, {1, 256, -2}, true);
    QVERIFY(dicom::decodeFrame(open(dicom, "1.2.840.10008.1.2.2"), 0).gray ==
            std::vector<float>({1, 256, -2}));
    QVERIFY(dicom::decodeFrame(open(dicom, "1.2.840.10008.1.2"), 0).gray ==
            std::vector<float>({1, 256, -2}));
}

void FrameTest::floatPixelsAreRead()
{
    const float values[] = {0.5F, -1e6F};
    Bytes raw(sizeof values);
    std::memcpy(raw.data(), values, sizeof values);
    SyntheticDicom dicom = SyntheticDicom::gray(2, 1, {});
    dicom.without(0x7FE0, 0x0010)
        .bytes(0x7FE0, 0x0008, "OF", raw)
        .shorts(0x0028, 0x0100, "US", {32});
    QVERIFY(dicom::decodeFrame(open(dicom), 0).gray == std::vector<float>({0.5F, -1e6F}));
    const double doubles[] = {0.25, 7};
    Bytes wide(sizeof doubles);
    std::memcpy(wide.data(), doubles, sizeof doubles);
    dicom.without(0x7FE0, 0x0008)
        .bytes(0x7FE0, 0x0009, "OD", wide)
        .shorts(0x0028, 0x0100, "US", {64});
    QVERIFY(dicom::decodeFrame(open(dicom), 0).gray == std::vector<float>({0.25F, 7}));
}

void FrameTest::rleFrameIsDecoded()
{
    SyntheticDicom dicom = SyntheticDicom::gray(4, 1, {});
    // high bytes as one repeated run, low bytes as literals after a control byte that does nothing
    const Bytes high{static_cast<std::uint8_t>(-3), 0x01}, low{0x80, 3, 1, 2, 3, 4};
    dicom.fragments({}, {rleFrame({high, low})});
    QVERIFY(dicom::decodeFrame(open(dicom, "1.2.840.10008.1.2.5"), 0).gray ==
            std::vector<float>({257, 258, 259, 260}));
}

void FrameTest::framesAreFoundByOffsetTableOrStartOfStream()
{
    SyntheticDicom dicom = SyntheticDicom::gray(2, 1, {});
    dicom.shorts(0x0028, 0x0100, "US", {8})
        .shorts(0x0028, 0x0101, "US", {8})
        .shorts(0x0028, 0x0102, "US", {7})
        .text(0x0028, 0x0008, "IS", "2");
    const Bytes one = rleFrame({rleSegment({1, 2})}), two = rleFrame({rleSegment({3, 4})});
    const auto second = static_cast<std::uint8_t>(one.size() + one.size() % 2 + 8);
    const auto bothFrames = [&](const SyntheticDicom& made) {
        const auto dataset = open(made, "1.2.840.10008.1.2.5");
        return dicom::decodeFrame(dataset, 0).gray == std::vector<float>({1, 2}) &&
            dicom::decodeFrame(dataset, 1).gray == std::vector<float>({3, 4});
    };
    QVERIFY(bothFrames(dicom.fragments({}, {one, two})));
    QVERIFY(bothFrames(dicom.fragments({0, 0, 0, 0, second, 0, 0, 0}, {one, two})));
    // a table that points nowhere is not believed
    QVERIFY(bothFrames(dicom.fragments({0, 0, 0, 0, 99, 0, 0, 0}, {one, two})));
    // the second frame in two fragments: only the table can tell
    const Bytes head(two.begin(), two.begin() + 64), tail(two.begin() + 64, two.end());
    QVERIFY(bothFrames(dicom.fragments({0, 0, 0, 0, second, 0, 0, 0}, {one, head, tail})));
}

void FrameTest::frameOutOfRangeSaysHowManyThereAre()
{
    const auto dataset = open(SyntheticDicom::gray(1, 1, {0}));
    QVERIFY(refusal(dataset, 5).find("has 1 frames; frame 6") != std::string::npos);
    QVERIFY(!refusal(dataset, -1).empty());
}

void FrameTest::stopRequestedCancels()
{
    std::stop_source stop;
    stop.request_stop();
    const auto dataset = open(SyntheticDicom::gray(1, 1, {0}));
    QVERIFY_EXCEPTION_THROWN(dicom::decodeFrame(dataset, 0, stop.get_token()), dicom::Cancelled);
}

void FrameTest::framesDecodeOnManyThreads()
{
    const SyntheticDicom dicom = SyntheticDicom::gray(4, 1, {}).fragments(
        {}, {rleFrame({rleSegment({0, 0, 0, 0}), rleSegment({1, 2, 3, 4})})});
    const auto path =
        SyntheticDicom::write(m_folder.filePath(QStringLiteral("threads.dcm")).toStdString(),
                              dicom.file("1.2.840.10008.1.2.5"));
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 50; ++i) {
                    const auto dataset = dicom::Dataset::read(path);
                    good +=
                        dicom::decodeFrame(dataset, 0).gray == std::vector<float>({1, 2, 3, 4}) &&
                        dataset.text({0x0008, 0x0060}) == "OT";
                }
            });
        }
    }
    QCOMPARE(good.load(), 200);
}

void FrameTest::picturesThatCannotBeShownSayWhy_data()
{
    QTest::addColumn<int>("element");
    QTest::addColumn<QString>("vr");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("sentence");
    QTest::newRow("photometric") << 0x0004 << "CS"
                                 << "HSV"
                                 << "Photometric Interpretation HSV";
    QTest::newRow("rows") << 0x0010 << "US"
                          << "0"
                          << "has 0 rows";
    QTest::newRow("huge") << 0x0010 << "US"
                          << "65535"
                          << "holds 4 of";
    QTest::newRow("bits") << 0x0100 << "US"
                          << "12"
                          << "stores 16 bits in 12";
    QTest::newRow("samples") << 0x0002 << "US"
                             << "4"
                             << "has 4 samples a pixel";
}

void FrameTest::picturesThatCannotBeShownSayWhy()
{
    QFETCH(int, element);
    QFETCH(QString, vr);
    QFETCH(QString, value);
    QFETCH(QString, sentence);
    SyntheticDicom dicom = SyntheticDicom::gray(2, 1, {1, 2});
    if (vr == QLatin1String("US")) {
        dicom.shorts(0x0028, static_cast<std::uint16_t>(element), "US", {value.toInt()});
    } else {
        dicom.text(0x0028, static_cast<std::uint16_t>(element), "CS", value.toStdString());
    }
    const QString said = QString::fromStdString(refusal(open(dicom)));
    QVERIFY2(said.contains(sentence), qPrintable(said));
}

QTEST_APPLESS_MAIN(FrameTest)
#include "frame_test.moc"
