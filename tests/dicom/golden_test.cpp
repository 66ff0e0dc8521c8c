#include "dicom/color.h"
#include "dicom/frame.h"
#include "dicom/pixels.h"
#include "support/shared_data.h"

#include <QCryptographicHash>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <cmath>

/// Against tests/data/dicom_golden.json, made with pydicom and numpy by
/// tests/reference/make_dicom.py.
class GoldenTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyFrameHasTheReferenceValues_data();
    void everyFrameHasTheReferenceValues();
    void losslessEncodingsGiveIdenticalPixels_data();
    void losslessEncodingsGiveIdenticalPixels();
};

namespace {

template <typename T>
QString sha(const std::vector<T>& values)
{
    const QByteArrayView bytes(reinterpret_cast<const char*>(values.data()),
                               static_cast<qsizetype>(values.size() * sizeof(T)));
    return QString::fromLatin1(
        QCryptographicHash::hash(bytes.toByteArray(), QCryptographicHash::Sha256).toHex());
}

std::filesystem::path file(const QString& name)
{
    return *test::sharedData() / "data" / name.toStdString();
}

}  // namespace

void GoldenTest::everyFrameHasTheReferenceValues_data()
{
    QTest::addColumn<QJsonObject>("row");
    QFile golden(QStringLiteral(KVL_TEST_DATA "/dicom_golden.json"));
    QVERIFY(golden.open(QIODevice::ReadOnly));
    const QJsonArray rows = QJsonDocument::fromJson(golden.readAll()).array();
    QVERIFY(rows.size() > 100);
    for (const auto& value : rows) {
        const QJsonObject row = value.toObject();
        QTest::addRow("%s frame %d", qUtf8Printable(row["file"].toString()), row["frame"].toInt())
            << row;
    }
}

void GoldenTest::everyFrameHasTheReferenceValues()
{
    if (!test::sharedData()) {
        QSKIP(test::missingSharedData);
    }
    QFETCH(QJsonObject, row);
    const dicom::Dataset dataset = dicom::Dataset::read(file(row["file"].toString()));
    const int index = row["frame"].toInt();
    const dicom::StoredFrame stored = dicom::storedFrame(dataset, index);
    QCOMPARE(stored.format.columns, row["width"].toInt());
    QCOMPARE(stored.format.rows, row["height"].toInt());
    const bool exact = row.contains("stored");
    const bool real = !stored.real.empty();
    const QJsonArray places = row["places"].toArray(), samples = row["samples"].toArray(),
                     gray = row["gray"].toArray();
    for (qsizetype i = 0; i < places.size(); ++i) {
        const auto at = static_cast<std::size_t>(places[i].toInteger());
        const double value = real ? stored.real.at(at) : stored.values.at(at);
        const double difference = std::abs(value - samples[i].toDouble());
        QVERIFY2(difference <= row["tolerance"].toDouble(),
                 qPrintable(QStringLiteral("sample %1 is %2, expected %3")
                                .arg(at)
                                .arg(value)
                                .arg(samples[i].toDouble())));
    }
    if (exact) {
        QCOMPARE(real ? sha(stored.real) : sha(stored.values), row["stored"].toString());
    }
    const dicom::Frame frame = dicom::decodeFrame(dataset, index);
    QCOMPARE(!frame.rgb.empty(), row["color"].toBool());
    QStringList edges;
    if (frame.edges) {
        for (const std::string& letters :
             {frame.edges->left, frame.edges->top, frame.edges->right, frame.edges->bottom}) {
            edges << QString::fromStdString(letters);
        }
    }
    QCOMPARE(edges, row["edges"].toVariant().toStringList());
    if (row.contains("rgb")) {
        QCOMPARE(sha(frame.rgb), row["rgb"].toString());
    }
    if (!exact) {
        return;
    }
    for (qsizetype i = 0; i < gray.size(); ++i) {
        QCOMPARE(
            static_cast<double>(frame.gray.at(static_cast<std::size_t>(places[i].toInteger()))),
            gray[i].toDouble());
    }
    if (row.contains("render")) {
        const std::vector<std::uint8_t> rgb = dicom::render(frame, dicom::defaultWindow(frame));
        std::vector<std::uint8_t> levels;
        for (std::size_t i = 0; i < rgb.size(); i += 3) {
            QVERIFY(rgb[i] == rgb[i + 1] && rgb[i] == rgb[i + 2]);
            levels.push_back(rgb[i]);
        }
        QCOMPARE(sha(levels), row["render"].toString());
    }
}

void GoldenTest::losslessEncodingsGiveIdenticalPixels_data()
{
    QTest::addColumn<QString>("first");
    QTest::addColumn<QString>("second");
    for (const char* other :
         {"MR_small_implicit", "MR_small_bigendian", "MR_small_RLE", "MR_small_jp2klossless",
          "MR_small_jpeg_ls_lossless", "MR_small_padded"}) {
        QTest::newRow(other) << "dicom/MR_small.dcm"
                             << QStringLiteral("dicom/%1.dcm").arg(QLatin1String(other));
    }
    QTest::newRow("emri_small") << "dicom/emri_small.dcm"
                                << "dicom/emri_small_jpeg_2k_lossless.dcm";
    QTest::newRow("sm_image") << "dicom/sm_image.dcm"
                              << "dicom/sm_image_jpegls.dcm";
}

void GoldenTest::losslessEncodingsGiveIdenticalPixels()
{
    if (!test::sharedData()) {
        QSKIP(test::missingSharedData);
    }
    QFETCH(QString, first);
    QFETCH(QString, second);
    const dicom::Dataset a = dicom::Dataset::read(file(first)),
                         b = dicom::Dataset::read(file(second));
    QCOMPARE(a.frameCount(), b.frameCount());
    for (int i = 0; i < a.frameCount(); ++i) {
        QVERIFY(dicom::storedFrame(a, i).values == dicom::storedFrame(b, i).values);
    }
}

QTEST_APPLESS_MAIN(GoldenTest)
#include "golden_test.moc"
