#include "dicom/encapsulated.h"
#include "dicom/frame.h"
#include "support/shared_data.h"
#include "support/synthetic_dicom.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

using test::SyntheticDicom;
using Bytes = SyntheticDicom::Bytes;

/// Damaged and hostile files: a sentence, in bounded time; never a crash.
class MalformedTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sharedFileSaysWhatIsWrong_data();
    void sharedFileSaysWhatIsWrong();
    void everySharedFileOpensOrSaysWhy();
    void nestingIsRefusedWithoutStack_data();
    void nestingIsRefusedWithoutStack();
    void elementsOutOfOrderAreBounded();
    void lengthBeyondTheFileIsNotAllocated();
    void compressedSizeIsCheckedBeforeDecoding_data();
    void compressedSizeIsCheckedBeforeDecoding();
    void fileCutAnywhereOpensOrSaysWhy_data();
    void fileCutAnywhereOpensOrSaysWhy();
    void flippedBytesNeverCrash_data();
    void flippedBytesNeverCrash();

private:
    std::filesystem::path write(const Bytes& content)
    {
        const std::filesystem::path file =
            m_folder.filePath(QStringLiteral("case.dcm")).toStdString();
        std::filesystem::remove(file);  // rewriting a file in place makes some file systems sync it
        return SyntheticDicom::write(file, content);
    }
    QTemporaryDir m_folder;
};

namespace {

/// What opening and showing says; empty where all went well.
std::string tryAll(const std::filesystem::path& file)
{
    try {
        const auto dataset = dicom::Dataset::read(file);
        dataset.attributes();
        dataset.text({0x0010, 0x0010});
        dicom::describeEncapsulated(dataset);
        const int frames = dataset.frameCount();
        if (frames == 0) {
            dicom::decodeFrame(dataset, 0);
        }
        for (const int index : {0, frames - 1}) {
            const auto frame = dicom::decodeFrame(dataset, index);
            dicom::render(frame, dicom::defaultWindow(frame));
        }
    } catch (const dicom::Error& error) {
        return error.what();
    }
    return "";
}

Bytes contentOf(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool isSentence(const std::string& text, const std::string& name)
{
    return text.starts_with(name + " ") && text.size() > name.size() + 15 && text.back() != '.' &&
        text.find('\n') == std::string::npos;
}

/// Small files of each kind of encoding; those in ../shared where they are.
std::vector<std::pair<std::string, Bytes>> smallFiles()
{
    std::vector<std::pair<std::string, Bytes>> files;
    SyntheticDicom dicom =
        SyntheticDicom::gray(4, 4, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
    dicom.text(0x0028, 0x1050, "DS", "40\\50")
        .text(0x0028, 0x1051, "DS", "400\\9")
        .text(0x0008, 0x0005, "CS", "\\ISO 2022 IR 87")
        .text(0x0010, 0x0010, "PN", "A^B=\x1B$B;3ED\x1B(B");
    dicom.sequence(0x0028, 0x3010,
                   {SyntheticDicom()
                        .shorts(0x0028, 0x3002, "US", {2, 0, 16})
                        .shorts(0x0028, 0x3006, "OW", {1, 2})});
    for (const char* syntax : {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"}) {
        files.push_back({syntax, dicom.file(syntax)});
    }
    if (const auto shared = test::sharedData()) {
        for (const char* name :
             {"SC_rgb_rle_2frame.dcm", "SC_rgb_jls_lossy_line.dcm", "SC_rgb_dcmtk_+eb+cy+s2.dcm",
              "JPEG2000.dcm", "image_dfl.dcm", "MR_small_jpeg_ls_lossless.dcm",
              "MR_small_jp2klossless.dcm", "JPGExtended.dcm", "reportsi.dcm",
              "seg_image_ct_binary_overlap.dcm", "sm_image_jpegls.dcm"}) {
            files.push_back({name, contentOf(*shared / "data/dicom" / name)});
        }
    }
    return files;
}

}  // namespace

void MalformedTest::sharedFileSaysWhatIsWrong_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("said");  // empty: it opens
    const auto row = [](const char* file, const char* said) {
        QTest::newRow(file) << file << said;
    };
    row("malformed/empty.dcm", "is empty");
    row("malformed/text.dcm", "is not a DICOM file");
    row("malformed/preamble-only.dcm", "has a DICOM preamble but no data set");
    row("malformed/png.dcm", "is not a DICOM file");
    row("malformed/rows-65535.dcm", "claims a picture of 65535 × 65535 pixels");
    row("malformed/frames-2e9.dcm", "claims 2000000000 frames");
    row("malformed/window-zero.dcm", "");
    row("malformed/spacing-zero.dcm", "");
    row("malformed/name-html.dcm", "");
    row("malformed/uid-traversal.dcm", "");
    row("malformed/j2k-half.dcm", "ends inside the pixel data of frame 1");
    row("malformed/rle-offset.dcm", "RLE segment 1 lies outside");
    row("malformed/nested-5000.dcm", "nested more than 100 deep");
    row("malformed/palette-short.dcm", "has 4 of the 256 entries of its red palette");
    row("MR_truncated.dcm", "holds 8130 of 8192 bytes of the pixels of frame 1");
    row("JPEG2000-embedded-sequence-delimiter.dcm", "could not be decompressed");
    row("meta_missing_tsyntax.dcm", "0 rows");
    row("rtstruct.dcm", "holds no picture: it is an object of the kind RT Structure Set");
    row("waveform_ecg.dcm", "ECG Waveform");
    row("dicomdir/DICOMDIR",
        "holds no picture: it is an object of the kind Media Storage Directory");
    row("video-endoscopic-h264.dcm", "holds a video (MPEG-4 AVC/H.264)");
    row("charset/chrKoreanMulti.dcm", "has no pixel data");
}

void MalformedTest::sharedFileSaysWhatIsWrong()
{
    if (!test::sharedData()) {
        QSKIP(test::missingSharedData);
    }
    QFETCH(QString, file);
    QFETCH(QString, said);
    const auto path = *test::sharedData() / "data/dicom" / file.toStdString();
    const std::string found = tryAll(path);
    QCOMPARE(found.empty(), said.isEmpty());
    QVERIFY2(QString::fromStdString(found).contains(said), found.c_str());
    QVERIFY2(found.empty() || isSentence(found, path.filename().string()), found.c_str());
}

void MalformedTest::everySharedFileOpensOrSaysWhy()
{
    if (!test::sharedData()) {
        QSKIP(test::missingSharedData);
    }
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(*test::sharedData() / "data")) {
        if (!entry.is_regular_file()) {
            continue;
        }
        QElapsedTimer timer;
        timer.start();
        const std::string said = tryAll(entry.path());
        QVERIFY2(said.empty() || isSentence(said, entry.path().filename().string()), said.c_str());
#ifndef KVL_SANITIZE
        QVERIFY2(timer.elapsed() < 10'000, entry.path().c_str());  // under 2 s on an idle machine
#endif
    }
}

void MalformedTest::nestingIsRefusedWithoutStack_data()
{
    QTest::addColumn<QByteArray>("level");
    QTest::newRow("explicit, undefined length")
        << QByteArray("\x40\x00\x30\xA7SQ\0\0\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF", 20);
    QTest::newRow("implicit in UN")
        << QByteArray("\x41\x00\x01\x10\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF", 16);
}

void MalformedTest::nestingIsRefusedWithoutStack()
{
    QFETCH(QByteArray, level);
    Bytes content = SyntheticDicom().text(0x0008, 0x0060, "CS", "OT").file();
    if (level.size() == 16) {
        const QByteArray outer(
            "\x41\x00\x01\x10UN\0\0\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF", 20);
        content.insert(content.end(), outer.begin(), outer.end());
    }
    for (int i = 0; i < 200'000; ++i) {
        content.insert(content.end(), level.begin(), level.end());
    }
    QVERIFY(QString::fromStdString(tryAll(write(content))).contains("nested more than 100 deep"));
}

void MalformedTest::elementsOutOfOrderAreBounded()
{
    Bytes content = SyntheticDicom().text(0x0008, 0x0060, "CS", "OT").file();
    for (int i = 60'000; i > 0; --i) {
        SyntheticDicom::append(content,
                               {0x11, 0x00, static_cast<std::uint8_t>(i & 0xFF),
                                static_cast<std::uint8_t>(i >> 8), 'S', 'H', 0, 0});
    }
    QVERIFY(QString::fromStdString(tryAll(write(content))).contains("out of order"));
}

void MalformedTest::lengthBeyondTheFileIsNotAllocated()
{
    Bytes content = SyntheticDicom().text(0x0010, 0x0010, "PN", "A^B").file();
    SyntheticDicom::append(content,
                           {0x42, 0x00, 0x11, 0x00, 'O', 'B', 0, 0, 0xF0, 0xFF, 0xFF, 0xFF, 1, 2});
    const auto dataset = dicom::Dataset::read(write(content));
    QCOMPARE(dataset.text({0x0010, 0x0010}).value_or(""), std::string("A^B"));
    QVERIFY(!dicom::readEncapsulated(dataset));
    QVERIFY(QString::fromStdString(tryAll(write(content))).contains("ends inside (0042,0011)"));
}

void MalformedTest::compressedSizeIsCheckedBeforeDecoding_data()
{
    QTest::addColumn<QByteArray>("syntax");
    QTest::addColumn<QByteArray>("stream");
    // start of frame: 8 bits, 65535 x 65535, one component
    QTest::newRow("JPEG")
        << QByteArray("1.2.840.10008.1.2.4.50")
        << QByteArray("\xFF\xD8\xFF\xC0\x00\x0B\x08\xFF\xFF\xFF\xFF\x01\x01\x11\x00\xFF\xD9", 17);
    QTest::newRow("JPEG-LS")
        << QByteArray("1.2.840.10008.1.2.4.80")
        << QByteArray("\xFF\xD8\xFF\xF7\x00\x0B\x08\xFF\xFF\xFF\xFF\x01\x01\x11\x00\xFF\xD9", 17);
    QByteArray siz("\xFF\x4F\xFF\x51\x00\x29\x00\x00\xFF\xFF\xFF\x00\xFF\xFF\xFF\x00", 16);
    siz += QByteArray(24, '\0') + QByteArray("\x00\x01\x07\x01\x01", 5);
    QTest::newRow("JPEG 2000") << QByteArray("1.2.840.10008.1.2.4.90") << siz;
}

void MalformedTest::compressedSizeIsCheckedBeforeDecoding()
{
    QFETCH(QByteArray, syntax);
    QFETCH(QByteArray, stream);
    const SyntheticDicom dicom =
        SyntheticDicom::gray(2, 2, {}).fragments({}, {Bytes(stream.begin(), stream.end())});
    const std::string said = tryAll(write(dicom.file(syntax.toStdString())));
    QVERIFY2(QString::fromStdString(said).contains("but the header says 2 × 2"), said.c_str());
}

void MalformedTest::fileCutAnywhereOpensOrSaysWhy_data()
{
    QTest::addColumn<Bytes>("content");
    for (const auto& [name, content] : smallFiles()) {
        QTest::newRow(name.c_str()) << content;
    }
}

void MalformedTest::fileCutAnywhereOpensOrSaysWhy()
{
    QFETCH(Bytes, content);
    const std::size_t step = std::max<std::size_t>(content.size() / 60, 1);
    for (std::size_t length = 0; length < content.size();
         length += length < 600 && content.size() < 2000 ? 5 : step) {
        const std::string said =
            tryAll(write({content.begin(), content.begin() + static_cast<std::ptrdiff_t>(length)}));
        QVERIFY2(said.empty() || isSentence(said, "case.dcm"), said.c_str());
    }
}

void MalformedTest::flippedBytesNeverCrash_data()
{
    fileCutAnywhereOpensOrSaysWhy_data();
}

void MalformedTest::flippedBytesNeverCrash()
{
    QFETCH(Bytes, content);
    std::mt19937 random(4711);
    for (int round = 0; round < 60; ++round) {
        Bytes damaged = content;
        for (int i = 0; i < 1 + round % 4; ++i) {
            damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
        }
        const std::string said = tryAll(write(damaged));
        QVERIFY2(said.empty() || isSentence(said, "case.dcm"), said.c_str());
    }
}

QTEST_APPLESS_MAIN(MalformedTest)
#include "malformed_test.moc"
