#include "dicom/study.h"
#include "support/shared_data.h"
#include "support/synthetic_dicom.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

using test::SyntheticDicom;

class StudyTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void slicesFollowTheNormal();
    void slicesWithoutPositionFollowInstanceNumberThenName();
    void phasesInOnePlaceFollowInstanceNumber();
    void obliqueAndReversedSlicesFollowTheirNormal();
    void seriesAreGroupedAndOrdered();
    void brokenFilesAreRefusedAndOthersCounted();
    void linksOutOfTheFolderAreNotFollowed();
    void missingFolderSaysSo();
    void stopEndsWithCancelled();
    void sharedMediaSetHasItsSeries();
    void sharedVolumeIsInOrder();

private:
    std::filesystem::path root() const { return m_folder->path().toStdString(); }
    SyntheticDicom slice(const std::string& series, int number, const std::string& position = {},
                         const std::string& axes = "1\\0\\0\\0\\1\\0")
    {
        SyntheticDicom dicom = SyntheticDicom::gray(1, 1, {number});
        dicom.text(0x0020, 0x000D, "UI", "1.2")
            .text(0x0020, 0x000E, "UI", series)
            .text(0x0020, 0x0013, "IS", std::to_string(number));
        dicom.text(0x0008, 0x0018, "UI", series + "." + std::to_string(++m_count));
        if (!position.empty()) {
            dicom.text(0x0020, 0x0032, "DS", position).text(0x0020, 0x0037, "DS", axes);
        }
        return dicom;
    }
    void write(const std::string& name, const SyntheticDicom& dicom)
    {
        SyntheticDicom::write(root() / name, dicom.file());
    }
    std::string numbers(const dicom::Series& series) const
    {
        std::string all;
        for (const auto& instance : series.instances) {
            all += (all.empty() ? "" : " ") + std::to_string(instance.instanceNumber);
        }
        return all;
    }
    std::unique_ptr<QTemporaryDir> m_folder;
    int m_count = 0;
};

void StudyTest::init()
{
    m_folder = std::make_unique<QTemporaryDir>();
}

void StudyTest::slicesFollowTheNormal()
{
    write("a", slice("1.2.1", 3, "0\\0\\10"));
    write("b", slice("1.2.1", 1, "0\\0\\-20"));
    write("sub/folder/c", slice("1.2.1", 2, "0\\0\\7.5"));
    const auto study = dicom::readStudy(root());
    QCOMPARE(study.series.size(), std::size_t(1));
    QCOMPARE(numbers(study.series[0]), std::string("1 2 3"));
    QCOMPARE(study.series[0].instances[0].frames, 1);
}

void StudyTest::slicesWithoutPositionFollowInstanceNumberThenName()
{
    write("b", slice("1.2.1", 10));
    write("c", slice("1.2.1", 9));
    write("a", slice("1.2.1", 10));
    write("d", slice("1.2.1", 2, "0\\0\\10"));  // a position that the others lack is of no use
    const auto instances = dicom::readStudy(root()).series.at(0).instances;
    QCOMPARE(instances[0].file.filename(), std::filesystem::path("d"));
    QCOMPARE(instances[1].file.filename(), std::filesystem::path("c"));
    QCOMPARE(instances[2].file.filename(), std::filesystem::path("a"));
    QCOMPARE(instances[3].file.filename(), std::filesystem::path("b"));
}

void StudyTest::phasesInOnePlaceFollowInstanceNumber()
{
    write("a", slice("1.2.1", 3, "0\\0\\1"));
    write("b", slice("1.2.1", 1, "0\\0\\1"));
    write("c", slice("1.2.1", 2, "0\\0\\0"));
    QCOMPARE(numbers(dicom::readStudy(root()).series.at(0)), std::string("1 2 3"));
}

void StudyTest::obliqueAndReversedSlicesFollowTheirNormal()
{
    // coronal: rows along x, columns along -z, so the normal points along +y
    write("a", slice("1.2.1", 1, "0\\5\\0", "1\\0\\0\\0\\0\\-1"));
    write("b", slice("1.2.1", 2, "0\\-5\\0", "1\\0\\0\\0\\0\\-1"));
    QCOMPARE(numbers(dicom::readStudy(root()).series.at(0)), std::string("2 1"));
    // axes the other way round: the normal points along -z
    write("c", slice("1.2.2", 1, "0\\0\\0", "0\\1\\0\\1\\0\\0"));
    write("d", slice("1.2.2", 2, "0\\0\\5", "0\\1\\0\\1\\0\\0"));
    QCOMPARE(numbers(dicom::readStudy(root()).series.at(1)), std::string("2 1"));
}

void StudyTest::seriesAreGroupedAndOrdered()
{
    write("a",
          slice("1.2.9", 1).text(0x0020, 0x0011, "IS", "2").text(0x0008, 0x103E, "LO", "second"));
    write("b",
          slice("1.2.1", 1).text(0x0020, 0x0011, "IS", "10").text(0x0008, 0x103E, "LO", "third"));
    write("c",
          slice("1.2.5", 1)
              .text(0x0020, 0x0011, "IS", "1")
              .text(0x0008, 0x103E, "LO", "first")
              .text(0x0010, 0x0010, "PN", "Doe^Jane"));
    const auto study = dicom::readStudy(root());
    QCOMPARE(study.series.size(), std::size_t(3));
    QCOMPARE(study.series[0].seriesDescription, std::string("first"));
    QCOMPARE(study.series[0].patientName, std::string("Doe^Jane"));
    QCOMPARE(study.series[1].seriesDescription, std::string("second"));
    QCOMPARE(study.series[2].seriesNumber, 10);
}

void StudyTest::brokenFilesAreRefusedAndOthersCounted()
{
    write("good.dcm", slice("1.2.1", 1));
    SyntheticDicom::write(root() / "letter.txt", {'H', 'e', 'l', 'l', 'o'});
    SyntheticDicom::Bytes preamble(128);
    SyntheticDicom::append(preamble, {'D', 'I', 'C', 'M'});
    SyntheticDicom::append(preamble, {8, 0, 5, 0, 'C', 'S', 200, 0, 'x'});
    SyntheticDicom::write(root() / "cut.dcm", preamble);
    std::vector<int> seen;
    const auto study = dicom::readStudy(root(), [&](int count) { seen.push_back(count); });
    QCOMPARE(study.others, 1);
    QCOMPARE(study.refused.size(), std::size_t(1));
    QVERIFY2(study.refused[0].starts_with("cut.dcm "), study.refused[0].c_str());
    QCOMPARE(study.series.size(), std::size_t(1));
    QVERIFY(seen == std::vector<int>({1, 2, 3}));
}

void StudyTest::linksOutOfTheFolderAreNotFollowed()
{
    QTemporaryDir outside;
    const std::filesystem::path secret =
        SyntheticDicom::write(std::filesystem::path(outside.path().toStdString()) / "secret.dcm",
                              slice("1.2.1", 1).file());
    write("inside.dcm", slice("1.2.2", 2));
    std::filesystem::create_symlink(secret, root() / "file-link.dcm");
    std::filesystem::create_directory_symlink(outside.path().toStdString(), root() / "folder-link");
    std::filesystem::create_directory_symlink(root(), root() / "loop");
    std::filesystem::create_symlink(root() / "inside.dcm", root() / "again.dcm");
    std::filesystem::create_symlink(root() / "nowhere", root() / "broken.dcm");
    const auto study = dicom::readStudy(root());
    QCOMPARE(study.series.size(), std::size_t(1));
    QCOMPARE(study.series[0].seriesUid, std::string("1.2.2"));
    QCOMPARE(study.series[0].instances.size(), std::size_t(1));
    QVERIFY(study.refused.empty());
}

void StudyTest::missingFolderSaysSo()
{
    try {
        dicom::readStudy(root() / "missing");
        QFAIL("did not throw");
    } catch (const dicom::Error& error) {
        QVERIFY(std::string(error.what()).find("can't be read") != std::string::npos);
    }
}

void StudyTest::stopEndsWithCancelled()
{
    write("a", slice("1.2.1", 1));
    write("b", slice("1.2.1", 2));
    std::stop_source stop;
    QVERIFY_EXCEPTION_THROWN(dicom::readStudy(
                                 root(), [&](int) { stop.request_stop(); }, stop.get_token()),
                             dicom::Cancelled);
}

void StudyTest::sharedMediaSetHasItsSeries()
{
    if (!test::sharedData()) {
        QSKIP(test::missingSharedData);
    }
    const auto study = dicom::readStudy(*test::sharedData() / "data/dicom/dicomdir");
    QVERIFY(study.refused.empty());
    QCOMPARE(study.others, 0);
    std::size_t instances = 0;
    for (const auto& series : study.series) {
        instances += series.instances.size();
    }
    QCOMPARE(instances, std::size_t(31));  // README of the shared data: a directory of 31 instances
}

void StudyTest::sharedVolumeIsInOrder()
{
    if (!test::sharedData()) {
        QSKIP(test::missingSharedData);
    }
    const auto study = dicom::readStudy(*test::sharedData() / "data/dicom/dcmqi");
    const auto ct =
        std::find_if(study.series.begin(), study.series.end(),
                     [](const dicom::Series& series) { return series.modality == "CT"; });
    QVERIFY(ct != study.series.end());
    QCOMPARE(ct->instances.size(), std::size_t(3));
    double last = -1e9;
    for (const auto& instance : ct->instances) {
        const double z =
            dicom::Dataset::read(instance.file).number({0x0020, 0x0032}, 2).value_or(0);
        QVERIFY(z > last);
        last = z;
    }
}

QTEST_APPLESS_MAIN(StudyTest)
#include "study_test.moc"
