#include "dicom/encapsulated.h"
#include "support/shared_data.h"
#include "support/synthetic_dicom.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <iterator>

using test::SyntheticDicom;
using Bytes = SyntheticDicom::Bytes;

class EncapsulatedTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void pdfLosesItsPaddingByte();
    void videoIsNamedByItsFirstBytes_data();
    void videoIsNamedByItsFirstBytes();
    void pictureCarriesNothing();
    void fileIsWrittenWholeOrNotAtAll();
    void sharedVideoAndPdfEqualTheirSources_data();
    void sharedVideoAndPdfEqualTheirSources();

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

constexpr const char* h264 = "1.2.840.10008.1.2.4.102";

Bytes contentOf(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

SyntheticDicom pdf()
{
    return SyntheticDicom()
        .text(0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.104.1")
        .text(0x0042, 0x0010, "ST", "Letter")
        .bytes(0x0042, 0x0011, "OB", {'%', 'P', 'D', 'F', '!'})
        .text(0x0042, 0x0012, "LO", "application/pdf");
}

}  // namespace

void EncapsulatedTest::pdfLosesItsPaddingByte()
{
    auto found = dicom::readEncapsulated(open(pdf()));
    QVERIFY(found.has_value());
    QCOMPARE(found->mimeType, std::string("application/pdf"));
    QCOMPARE(found->suffix, std::string(".pdf"));
    QCOMPARE(found->title, std::string("Letter"));
    QCOMPARE(found->bytes.size(), std::size_t(6));
    found = dicom::readEncapsulated(open(pdf().bytes(0x0042, 0x0015, "UL", {5, 0, 0, 0})));
    QCOMPARE(found->bytes.size(), std::size_t(5));
}

void EncapsulatedTest::videoIsNamedByItsFirstBytes_data()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QString>("mimeType");
    QTest::newRow("MP4") << QByteArray("\0\0\0\x20"
                                       "ftypisom",
                                       12)
                         << "video/mp4";
    QTest::newRow("MPEG-2") << QByteArray("\0\0\1\xB3 and", 8) << "video/mpeg";
    QTest::newRow("transport stream") << QByteArray("\x47\x40\0\0 and", 8) << "video/mp2t";
    QTest::newRow("bare H.264") << QByteArray("\0\0\0\1\x67 and", 9) << "video/h264";
}

void EncapsulatedTest::videoIsNamedByItsFirstBytes()
{
    QFETCH(QByteArray, head);
    QFETCH(QString, mimeType);
    const SyntheticDicom dicom = SyntheticDicom::gray(2, 2, {})
                                     .text(0x0028, 0x0008, "IS", "9")
                                     .fragments({}, {Bytes(head.begin(), head.end()), {1, 2}});
    const auto dataset = open(dicom, h264);
    const auto found = dicom::readEncapsulated(dataset);
    QVERIFY(found.has_value());
    QCOMPARE(QString::fromStdString(found->mimeType), mimeType);
    QCOMPARE(found->bytes.size(), found->length);
    QCOMPARE(int(found->bytes.back()), 2);
    QCOMPARE(dataset.frameCount(), 9);
}

void EncapsulatedTest::pictureCarriesNothing()
{
    const auto dataset = open(SyntheticDicom::gray(1, 1, {0}));
    QVERIFY(!dicom::describeEncapsulated(dataset));
    QVERIFY(!dicom::readEncapsulated(dataset));
    QVERIFY_EXCEPTION_THROWN(
        dicom::writeEncapsulated(dataset, m_folder.filePath(QStringLiteral("x")).toStdString()),
        dicom::Error);
}

void EncapsulatedTest::fileIsWrittenWholeOrNotAtAll()
{
    const auto dataset = open(SyntheticDicom::gray(1, 1, {}).fragments({}, {{1, 2, 3, 4}}), h264);
    const std::filesystem::path folder = m_folder.filePath(QStringLiteral("out")).toStdString();
    std::filesystem::create_directory(folder);
    dicom::writeEncapsulated(dataset, folder / "good.mp4");
    QVERIFY(contentOf(folder / "good.mp4") == Bytes({1, 2, 3, 4}));
    std::stop_source stop;
    stop.request_stop();
    QVERIFY_EXCEPTION_THROWN(
        dicom::writeEncapsulated(dataset, folder / "stopped.mp4", stop.get_token()),
        dicom::Cancelled);
    QVERIFY_EXCEPTION_THROWN(
        dicom::writeEncapsulated(dataset, folder / "no" / "such" / "folder.mp4"), dicom::Error);
    QCOMPARE(std::distance(std::filesystem::directory_iterator(folder),
                           std::filesystem::directory_iterator()),
             std::ptrdiff_t(1));
}

void EncapsulatedTest::sharedVideoAndPdfEqualTheirSources_data()
{
    QTest::addColumn<QString>("object");
    QTest::addColumn<QString>("source");
    QTest::newRow("video") << "dicom/video-endoscopic-h264.dcm"
                           << "endoscopy/zoom.mp4";
    QTest::newRow("PDF") << "dicom/encapsulated-pdf.dcm"
                         << "pdf/s41467-024-44806-1.pdf";
}

void EncapsulatedTest::sharedVideoAndPdfEqualTheirSources()
{
    if (!test::sharedData()) {
        QSKIP(test::missingSharedData);
    }
    QFETCH(QString, object);
    QFETCH(QString, source);
    const auto found = dicom::readEncapsulated(
        dicom::Dataset::read(*test::sharedData() / "data" / object.toStdString()));
    QVERIFY(found.has_value());
    Bytes expected = contentOf(*test::sharedData() / "data" / source.toStdString());
    expected.resize(expected.size() + expected.size() % 2);  // a value has an even length
    expected.resize(std::min<std::size_t>(expected.size(), found->bytes.size()));
    QVERIFY(found->bytes == expected);
}

QTEST_APPLESS_MAIN(EncapsulatedTest)
#include "encapsulated_test.moc"
