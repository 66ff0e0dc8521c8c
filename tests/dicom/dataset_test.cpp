#include "dicom/dataset.h"
#include "dicom/frame.h"
#include "support/shared_data.h"
#include "support/synthetic_dicom.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

using test::SyntheticDicom;
using Bytes = SyntheticDicom::Bytes;

class DatasetTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sharedNamesAreReadInTheirCharacterSet_data();
    void sharedNamesAreReadInTheirCharacterSet();
    void charactersBecomeUtf8_data();
    void charactersBecomeUtf8();
    void everyEncodingGivesTheSameValues_data();
    void everyEncodingGivesTheSameValues();
    void fileWithoutMetaHeaderOpens();
    void missingOrWrongTransferSyntaxIsGuessed();
    void absentIsNotEmpty();
    void numbersOfAllKindsAreRead();
    void attributesShowSequencesToABound();
    void attributesAreShortened();
    void recognisesOnlyDicom();
    void sharedUnSequenceAndSupersededEncodingsOpen();
    void pixelDataStaysInTheFile();

private:
    dicom::Dataset open(const Bytes& content) { return dicom::Dataset::read(write(content)); }
    std::filesystem::path write(const Bytes& content)
    {
        return SyntheticDicom::write(
            m_folder.filePath(QStringLiteral("%1.dcm").arg(++m_count)).toStdString(), content);
    }
    QTemporaryDir m_folder;
    int m_count = 0;
};

void DatasetTest::sharedNamesAreReadInTheirCharacterSet_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("name");
    // as pydicom decodes them
    QTest::newRow("Arabic") << "chrArab.dcm" << QStringLiteral("قباني^لنزار");
    QTest::newRow("Japanese, ISO 2022")
        << "chrH31.dcm" << QStringLiteral("Yamada^Tarou=山田^太郎=やまだ^たろう");
    QTest::newRow("Russian") << "chrRuss.dcm" << QStringLiteral("Люкceмбypг");
    QTest::newRow("Korean, ISO 2022") << "chrKoreanMulti.dcm" << QStringLiteral("김희중");
    QTest::newRow("UTF-8") << "chrX1.dcm" << QStringLiteral("Wang^XiaoDong=王^小東=");
}

void DatasetTest::sharedNamesAreReadInTheirCharacterSet()
{
    if (!test::sharedData()) {
        QSKIP(test::missingSharedData);
    }
    QFETCH(QString, file);
    QFETCH(QString, name);
    const auto dataset =
        dicom::Dataset::read(*test::sharedData() / "data/dicom/charset" / file.toStdString());
    QCOMPARE(QString::fromStdString(dataset.text({0x0010, 0x0010}).value_or("")), name);
}

void DatasetTest::charactersBecomeUtf8_data()
{
    QTest::addColumn<QByteArray>("charset");
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("expected");
    QTest::newRow("none") << QByteArray() << QByteArray("Doe^Jane") << "Doe^Jane";
    QTest::newRow("Latin 1") << QByteArray("ISO_IR 100") << QByteArray("M\xFCller")
                             << QStringLiteral("Müller");
    QTest::newRow("Latin 2") << QByteArray("ISO_IR 101") << QByteArray("Wa\xB3\xEAsa")
                             << QStringLiteral("Wałęsa");
    QTest::newRow("Latin 9") << QByteArray("ISO_IR 203") << QByteArray("\xA4")
                             << QStringLiteral("€");
    QTest::newRow("Greek") << QByteArray("ISO_IR 126") << QByteArray("\xC4\xE9\xEF")
                           << QStringLiteral("Διο");
    QTest::newRow("Hebrew") << QByteArray("ISO_IR 138") << QByteArray("\xF9\xF8")
                            << QStringLiteral("שר");
    QTest::newRow("Thai") << QByteArray("ISO_IR 166") << QByteArray("\xB9\xD2")
                          << QStringLiteral("นา");
    QTest::newRow("katakana") << QByteArray("ISO_IR 13") << QByteArray("\xD4\xCF\xC0\xDE")
                              << QStringLiteral("ﾔﾏﾀﾞ");
    QTest::newRow("katakana and kanji (PS3.5 H.3.2)")
        << QByteArray("ISO 2022 IR 13\\ISO 2022 IR 87")
        << QByteArray("\xD4\xCF\xC0\xDE^\xC0\xDB\xB3=\x1B$B;3ED\x1B(J^\x1B$BB@O:\x1B(J")
        << QStringLiteral("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎");
    QTest::newRow("Korean (PS3.5 I.2)")
        << QByteArray("\\ISO 2022 IR 149")
        << QByteArray("Hong^Gildong=\x1B$)C\xFB\xF3^\x1B$)C\xD1\xCE\xD4\xD7")
        << QStringLiteral("Hong^Gildong=洪^吉洞");
    QTest::newRow("GB18030 (PS3.5 J.3)")
        << QByteArray("GB18030") << QByteArray("Wang^XiaoDong=\xCD\xF5^\xD0\xA1\xB6\xAB")
        << QStringLiteral("Wang^XiaoDong=王^小东");
    QTest::newRow("misspelt term")
        << QByteArray("ISO IR 100") << QByteArray("M\xFCller") << QStringLiteral("Müller");
    QTest::newRow("unknown set, UTF-8 bytes")
        << QByteArray("KLINGON") << QByteArray("M\xC3\xBCller") << QStringLiteral("Müller");
    QTest::newRow("unknown set, Latin bytes")
        << QByteArray("KLINGON") << QByteArray("M\xFCller") << QStringLiteral("Müller");
    QTest::newRow("no set, Latin bytes")
        << QByteArray() << QByteArray("M\xFCller") << QStringLiteral("Müller");
    QTest::newRow("wrong set") << QByteArray("ISO_IR 192") << QByteArray("M\xFCller")
                               << QStringLiteral("Müller");
    QTest::newRow("control characters")
        << QByteArray("ISO_IR 100") << QByteArray("a\x01\x1B[31mb") << "a[31mb";
}

void DatasetTest::charactersBecomeUtf8()
{
    QFETCH(QByteArray, charset);
    QFETCH(QByteArray, bytes);
    QFETCH(QString, expected);
    SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {0});
    if (!charset.isEmpty()) {
        dicom.text(0x0008, 0x0005, "CS", charset.toStdString());
    }
    dicom.text(0x0010, 0x0010, "PN", bytes.toStdString());
    QCOMPARE(QString::fromStdString(open(dicom.file()).text({0x0010, 0x0010}).value_or("")),
             expected);
}

void DatasetTest::everyEncodingGivesTheSameValues_data()
{
    QTest::addColumn<QByteArray>("syntax");
    QTest::newRow("implicit") << QByteArray("1.2.840.10008.1.2");
    QTest::newRow("explicit") << QByteArray("1.2.840.10008.1.2.1");
    QTest::newRow("big endian") << QByteArray("1.2.840.10008.1.2.2");
}

void DatasetTest::everyEncodingGivesTheSameValues()
{
    QFETCH(QByteArray, syntax);
    SyntheticDicom dicom = SyntheticDicom::gray(2, 3, {1, 2, 3, 4, 5, 6});
    dicom.text(0x0028, 0x0030, "DS", "0.5 \\0.25")
        .sequence(0x0008, 0x1140, {SyntheticDicom().text(0x0008, 0x1155, "UI", "1.2.3")});
    const auto dataset = open(dicom.file(syntax.toStdString()));
    QCOMPARE(dataset.transferSyntax(), syntax.toStdString());
    QCOMPARE(dataset.number({0x0028, 0x0010}).value_or(0), 3.0);
    QCOMPARE(dataset.text({0x0028, 0x0030}).value_or(""), std::string("0.5\\0.25"));
    QVERIFY(dataset.numbers({0x0028, 0x0030}) == std::vector<double>({0.5, 0.25}));
    QCOMPARE(dataset.frameCount(), 1);
    const auto attributes = dataset.attributes();
    QVERIFY(std::any_of(attributes.begin(), attributes.end(), [](const dicom::Attribute& one) {
        return one.keyword == "ReferencedSOPInstanceUID" && one.value == "1.2.3" && one.depth == 2;
    }));
}

void DatasetTest::fileWithoutMetaHeaderOpens()
{
    const SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {7});
    for (const auto encoding :
         {SyntheticDicom::Encoding::ExplicitLittle, SyntheticDicom::Encoding::ImplicitLittle,
          SyntheticDicom::Encoding::ExplicitBig}) {
        const auto dataset = open(dicom.dataset(encoding));
        QCOMPARE(dataset.text({0x0008, 0x0060}).value_or(""), std::string("OT"));
        QCOMPARE(dicom::decodeFrame(dataset, 0).gray.at(0), 7.0F);
    }
    Bytes stray{' '};  // what is left of a preamble that was cut off one byte early
    SyntheticDicom::append(stray, dicom.dataset(SyntheticDicom::Encoding::ExplicitLittle));
    QCOMPARE(dicom::decodeFrame(open(stray), 0).gray.at(0), 7.0F);
}

void DatasetTest::missingOrWrongTransferSyntaxIsGuessed()
{
    const SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {7});
    Bytes head(128);
    SyntheticDicom::append(head, {'D', 'I', 'C', 'M'});
    for (const char* named : {"", "1.2.840.10008.1.2"}) {
        Bytes content = head;
        SyntheticDicom::append(content,
                               SyntheticDicom()
                                   .text(0x0002, 0x0010, "UI", named)
                                   .dataset(SyntheticDicom::Encoding::ExplicitLittle));
        SyntheticDicom::append(content, dicom.dataset(SyntheticDicom::Encoding::ExplicitLittle));
        const auto dataset = open(content);
        QCOMPARE(dataset.transferSyntax(), std::string("1.2.840.10008.1.2.1"));
        QCOMPARE(dicom::decodeFrame(dataset, 0).gray.at(0), 7.0F);
    }
}

void DatasetTest::absentIsNotEmpty()
{
    const auto dataset =
        open(SyntheticDicom::gray(1, 1, {0}).text(0x0010, 0x0020, "LO", "").file());
    QCOMPARE(dataset.text({0x0010, 0x0020}).value_or("absent"), std::string());
    QVERIFY(!dataset.text({0x0010, 0x0010}));
    QVERIFY(!dataset.number({0x0010, 0x0020}));
    QVERIFY(!dataset.number({0x0028, 0x0010}, 1));
    QVERIFY(!dataset.number({0x0028, 0x0010}, -1));
}

void DatasetTest::numbersOfAllKindsAreRead()
{
    SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {0});
    const float single = -1.5F;
    const double wide = 1e100;
    Bytes four(4), eight(8);
    std::memcpy(four.data(), &single, 4);
    std::memcpy(eight.data(), &wide, 8);
    dicom.bytes(0x0018, 0x6000, "FL", four)
        .bytes(0x0018, 0x602C, "FD", eight)
        .shorts(0x0028, 0x0106, "SS", {-7});
    dicom.text(0x0020, 0x0032, "DS", " -1.25e2\\+3\\ 4 ")
        .text(0x0020, 0x0013, "IS", "12 ")
        .text(0x0028, 0x0008, "IS", "1A");
    dicom.bytes(0x0020, 0x9157, "UL", {1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF});
    const auto dataset = open(dicom.file());
    QCOMPARE(dataset.number({0x0018, 0x6000}).value_or(0), -1.5);
    QCOMPARE(dataset.number({0x0018, 0x602C}).value_or(0), 1e100);
    QCOMPARE(dataset.number({0x0028, 0x0106}).value_or(0), -7.0);
    QVERIFY(dataset.numbers({0x0020, 0x0032}) == std::vector<double>({-125, 3, 4}));
    QCOMPARE(dataset.number({0x0020, 0x0013}).value_or(0), 12.0);
    QVERIFY(dataset.numbers({0x0020, 0x9157}) == std::vector<double>({1, 4294967295.0}));
    QCOMPARE(dataset.frameCount(), 1);  // "1A" is met in files
}

void DatasetTest::attributesShowSequencesToABound()
{
    SyntheticDicom inner = SyntheticDicom().text(0x0008, 0x0100, "SH", "deep");
    for (int i = 0; i < 40; ++i) {
        inner = SyntheticDicom().sequence(0x0040, 0xA730, {inner});
    }
    const auto dataset =
        open(SyntheticDicom::gray(1, 1, {0}).sequence(0x0040, 0xA730, {inner}).file());
    const auto all = dataset.attributes();
    QVERIFY(all.size() > 10 && all.size() < 60);
    QCOMPARE(dataset.attributes(5).size(), std::size_t(5));
    QCOMPARE(all.back().keyword, std::string("PixelData"));
    QCOMPARE(all.back().value, std::string("2 bytes"));
}

void DatasetTest::attributesAreShortened()
{
    std::string longText;
    for (int i = 0; i < 600; ++i) {
        longText += "ü";
    }
    const auto dataset = open(SyntheticDicom::gray(1, 1, {0})
                                  .text(0x0008, 0x0005, "CS", "ISO_IR 192")
                                  .text(0x0010, 0x4000, "LT", longText)
                                  .file());
    QCOMPARE(dataset.text({0x0010, 0x4000}).value_or(""), longText);
    for (const auto& attribute : dataset.attributes()) {
        QVERIFY(attribute.value.size() < 420);
        QVERIFY(QString::fromStdString(attribute.value).toStdString() ==
                attribute.value);  // whole characters
    }
}

void DatasetTest::recognisesOnlyDicom()
{
    const SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {0});
    QVERIFY(dicom::Dataset::recognises(write(dicom.file())));
    QVERIFY(
        dicom::Dataset::recognises(write(dicom.dataset(SyntheticDicom::Encoding::ImplicitLittle))));
    for (const std::string text : {"", "x", "Hello, this is a letter of more than a few words.",
                                   "%PDF-1.4 and so on and so on", "\x89PNG\r\n\x1A\n and so on",
                                   "II*\0 tiff", "GIF89a and so on"}) {
        const auto file = write(Bytes(text.begin(), text.end()));
        QVERIFY2(!dicom::Dataset::recognises(file), text.c_str());
        QVERIFY_EXCEPTION_THROWN(dicom::Dataset::read(file), dicom::Error);
    }
    QVERIFY(!dicom::Dataset::recognises(
        m_folder.filePath(QStringLiteral("missing.dcm")).toStdString()));
}

void DatasetTest::sharedUnSequenceAndSupersededEncodingsOpen()
{
    if (!test::sharedData()) {
        QSKIP(test::missingSharedData);
    }
    const auto folder = *test::sharedData() / "data/dicom";
    const auto names = [](const dicom::Dataset& dataset) {
        std::string all;
        for (const auto& attribute : dataset.attributes()) {
            all += attribute.value + '\n';
        }
        return all;
    };
    // pydicom prints the same value in the innermost item of each
    QVERIFY(names(dicom::Dataset::read(folder / "UN_sequence.dcm")).find("1.") !=
            std::string::npos);
    QVERIFY(
        names(dicom::Dataset::read(folder / "meta_missing_tsyntax.dcm")).find("Double Nested SQ") !=
        std::string::npos);
    QCOMPARE(dicom::Dataset::read(folder / "image_dfl.dcm").transferSyntax(),
             std::string("1.2.840.10008.1.2.1.99"));
    QCOMPARE(dicom::Dataset::read(folder / "no_meta.dcm").text({0x0010, 0x0010}).value_or(""),
             std::string("CompressedSamples^CT1"));
    QCOMPARE(dicom::Dataset::read(folder / "badVR.dcm").text({0x0010, 0x0010}).value_or(""),
             std::string("Lastname^Firstname"));
}

void DatasetTest::pixelDataStaysInTheFile()
{
    // a header with a gigabyte of pixels behind it, as a file with a hole
    SyntheticDicom dicom = SyntheticDicom::gray(16384, 32767, {}).bytes(0x7FE0, 0x0010, "OW", {});
    Bytes content = dicom.file();
    const std::uint32_t length = 16384u * 32767u * 2u;
    std::memcpy(content.data() + content.size() - 4, &length, 4);
    const auto file = write(content);
    std::filesystem::resize_file(file, content.size() + length);
    QElapsedTimer timer;
    timer.start();
    const auto dataset = dicom::Dataset::read(file);
    QCOMPARE(dataset.frameCount(), 1);
    QVERIFY2(timer.elapsed() < 1000, "reading the header took as long as reading the pixels");
}

QTEST_APPLESS_MAIN(DatasetTest)
#include "dataset_test.moc"
