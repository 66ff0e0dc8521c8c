#include "dicom/orientation.h"

#include "support/synthetic_dicom.h"

#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <limits>
#include <numbers>

using dicom::Edges;
using test::SyntheticDicom;

/// By the definitions of PS3.3 C.7.6.2.1.1 and C.7.6.1.1.1; golden_test holds files against
/// pydicom.
class OrientationTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    int m_count = 0;

    static SyntheticDicom picture()
    {
        SyntheticDicom dicom;
        dicom.text(0x0028, 0x0004, "CS", "MONOCHROME2");
        dicom.shorts(0x0028, 0x0002, "US", {1}).shorts(0x0028, 0x0010, "US", {2});
        dicom.shorts(0x0028, 0x0011, "US", {2}).shorts(0x0028, 0x0100, "US", {8});
        dicom.shorts(0x0028, 0x0101, "US", {8}).shorts(0x0028, 0x0102, "US", {7});
        dicom.shorts(0x0028, 0x0103, "US", {0})
            .bytes(0x7FE0, 0x0010, "OB", {1, 2, 3, 4, 5, 6, 7, 8});
        return dicom;
    }
    std::optional<Edges> edges(const SyntheticDicom& dicom, int frame = 0)
    {
        const QString file = m_folder.filePath(QStringLiteral("%1.dcm").arg(++m_count));
        return dicom::decodeFrame(
                   dicom::Dataset::read(SyntheticDicom::write(file.toStdString(), dicom.file())),
                   frame)
            .edges;
    }

private Q_SLOTS:
    void planesHaveTheirLetters_data()
    {
        QTest::addColumn<QList<double>>("cosines");
        QTest::addColumn<QString>("letters");  // left top right bottom
        QTest::newRow("axial") << QList<double>{1, 0, 0, 0, 1, 0} << "R A L P";
        QTest::newRow("axial, prone") << QList<double>{-1, 0, 0, 0, -1, 0} << "L P R A";
        QTest::newRow("coronal") << QList<double>{1, 0, 0, 0, 0, -1} << "R H L F";
        QTest::newRow("sagittal") << QList<double>{0, 1, 0, 0, 0, -1} << "A H P F";
        const double c = std::cos(std::numbers::pi / 6), s = 0.5;  // turned by 30 degrees
        QTest::newRow("oblique") << QList<double>{c, s, 0, -s, c, 0} << "RA AL LP PR";
        const double c5 = std::cos(5 * std::numbers::pi / 180),
                     s5 = std::sin(5 * std::numbers::pi / 180);
        QTest::newRow("5 degrees are no oblique")
            << QList<double>{c5, s5, 0, -s5, c5, 0} << "R A L P";
        QTest::newRow("twice oblique")
            << QList<double>{0.8, 0.48, 0.36, -0.6, 0.64, 0.48} << "RA AL LP PR";
    }
    void planesHaveTheirLetters()
    {
        QFETCH(QList<double>, cosines);
        QFETCH(QString, letters);
        std::array<double, 6> six{};
        std::copy(cosines.begin(), cosines.end(), six.begin());
        const auto edges = dicom::edgesOf(six);
        QVERIFY(edges);
        QCOMPARE(QString::fromStdString(edges->left + ' ' + edges->top + ' ' + edges->right + ' ' +
                                        edges->bottom),
                 letters);
    }

    void cosinesThatAreNoneGiveNoLetters()
    {
        using Six = std::array<double, 6>;
        QVERIFY(!dicom::edgesOf(Six{0, 0, 0, 0, 0, 0}));
        QVERIFY(!dicom::edgesOf(Six{1, 0, 0, 1, 0, 0}));  // row and column along one line
        QVERIFY(!dicom::edgesOf(Six{2, 0, 0, 0, 2, 0}));
        QVERIFY(!dicom::edgesOf(Six{std::numeric_limits<double>::quiet_NaN(), 0, 0, 0, 1, 0}));
        QVERIFY(dicom::edgesOf(Six{0.9999, 0.0001, 0, 0, 1.0001, 0}));  // rounded in the file
        SyntheticDicom five = picture();
        QVERIFY(!edges(five.text(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1")));
    }

    void patientOrientationStandsWhereThereAreNoCosines()
    {
        SyntheticDicom chest = picture();
        chest.text(0x0020, 0x0020, "CS", "L\\F");
        QCOMPARE(edges(chest), (Edges{"R", "H", "L", "F"}));
        chest.text(0x0020, 0x0020, "CS", "AL\\FPR");
        QCOMPARE(edges(chest), (Edges{"PR", "HAL", "AL", "FPR"}));
        chest.text(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0");  // goes before
        QCOMPARE(edges(chest), (Edges{"R", "A", "L", "P"}));
        for (const char* none : {"L", "L\\", "X\\F", "LAHF\\F", "\\"}) {
            SyntheticDicom odd = picture();
            QVERIFY2(!edges(odd.text(0x0020, 0x0020, "CS", none)), none);
        }
    }

    void animalsHaveNoLettersOfPeople()
    {
        SyntheticDicom dog = picture();
        dog.text(0x0010, 0x2210, "CS", "QUADRUPED");
        dog.text(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0");
        QVERIFY(!edges(dog));
    }

    void eachFrameHasItsOwnPlane()
    {
        const auto plane = [](const char* cosines) {
            SyntheticDicom orientation, frame;
            orientation.text(0x0020, 0x0037, "DS", cosines);
            frame.sequence(0x0020, 0x9116, {orientation});
            return frame;
        };
        SyntheticDicom two = picture();
        two.text(0x0028, 0x0008, "IS", "2");
        two.sequence(0x5200, 0x9230, {plane("1\\0\\0\\0\\1\\0"), plane("0\\1\\0\\0\\0\\-1")});
        QCOMPARE(edges(two, 0), (Edges{"R", "A", "L", "P"}));
        QCOMPARE(edges(two, 1), (Edges{"A", "H", "P", "F"}));
    }
};

QTEST_GUILESS_MAIN(OrientationTest)
#include "orientation_test.moc"
