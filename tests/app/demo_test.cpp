#include "tools/demo/demo_pictures.h"
#include "ui/model/demo_study.h"

#include <QDir>
#include <QFile>
#include <QImage>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

namespace {

QByteArray read(const QString& file)
{
    QFile in(file);
    return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
}

/// Mean difference of two pictures in grey levels; 255 where their sizes differ.
double difference(const QImage& a, const QImage& b)
{
    if (a.size() != b.size()) {
        return 255;
    }
    double sum = 0;
    for (int y = 0; y < a.height(); ++y) {
        for (int x = 0; x < 3 * a.width(); ++x) {
            sum += std::abs(a.constScanLine(y)[x] - b.constScanLine(y)[x]);
        }
    }
    return sum / (3.0 * a.width() * a.height());
}

QImage frameOf(const QString& file, int index)
{
    return ui::openDocuments(file).front()->frame(index).pixels;
}

QImage toQImage(const inference::Image& image)
{
    return QImage(image.pixels.get(), image.width, image.height, image.stride,
                  QImage::Format_RGB888)
        .copy();
}

const QString folder = QStringLiteral(KVL_DEMO);

}  // namespace

class DemoTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_made;

private Q_SLOTS:
    void initTestCase()
    {
        QCOMPARE(QProcess::execute(QStringLiteral(KVL_MAKE_DEMO), {m_made.path()}), 0);
    }

    void theToolMakesTheStudyAgain()
    {
        QCOMPARE(read(m_made.filePath("demo.json")), read(folder + "/demo.json"));
        for (const char* file :
             {"ct/1.dcm", "ct/2.dcm", "ct/3.dcm", "mr/1.dcm", "mr/2.dcm", "tissue.png"}) {
            QCOMPARE(frameOf(m_made.filePath(file), 0), frameOf(folder + '/' + file, 0));
        }
        // encoders may differ a little from version to version
        QVERIFY(difference(frameOf(m_made.filePath("endoscopy.jpg"), 0),
                           frameOf(folder + "/endoscopy.jpg", 0)) < 1);
    }

    void aSecondRunGivesTheSameBytes()
    {
        QTemporaryDir again;
        QCOMPARE(QProcess::execute(QStringLiteral(KVL_MAKE_DEMO), {again.path()}), 0);
        for (const char* file :
             {"ct/1.dcm", "mr/2.dcm", "endoscopy.jpg", "tissue.png", "paper.pdf", "demo.json"}) {
            QVERIFY2(read(again.filePath(file)) == read(m_made.filePath(file)), file);
        }
    }

    void theWorkbenchOpensAllOfItInUnderAMegabyte()
    {
        const ui::DemoStudy study = ui::readDemoStudy(folder);
        QCOMPARE(study.files.size(), 5);
        QVERIFY(study.holds(folder + "/ct/1.dcm"));
        QVERIFY(!study.holds(folder + "/other.dcm"));
        qint64 bytes = 0;
        for (const QString& file : study.files) {
            const auto documents = ui::openDocuments(file);
            QCOMPARE(documents.size(), 1);
            const auto& document = *documents.front();
            for (int i = 0; i < document.frameCount(); ++i) {
                const ui::Frame frame = documents.front()->frame(i);
                QVERIFY2(!study.questionsFor(frame.ref).isEmpty(),
                         qPrintable(frame.ref.file + ' ' + frame.label));
            }
            const QFileInfo info(file);
            bytes += info.size();
            for (const QFileInfo& one : QDir(file).entryInfoList(QDir::Files)) {
                bytes += one.size();
            }
        }
        QVERIFY2(bytes > 0 && bytes < 1'000'000, qPrintable(QString::number(bytes)));
    }

    void aFigureOfThePaperIsTheDrawnChartInItsRegion()
    {
        using inference::mini::Scene;
        const demo::Picture chart =
            demo::draw({Scene::BarChart, {"type", "highest", "title", "count"}, 3}, 0);
        for (const ui::DemoQuestion& one : ui::readDemoStudy(folder).questions) {
            if (one.file.endsWith(".pdf") && one.frame == 0 && one.region.x() < 500) {
                const QImage page = frameOf(one.file, 0);
                const QImage figure = page.copy(one.region).convertToFormat(QImage::Format_RGB888);
                const double found = difference(figure, toQImage(chart.image));
                QVERIFY2(found < 3, qPrintable(QString::number(found)));
                return;
            }
        }
        QFAIL("no question on the bar chart");
    }

    void aStudyWithoutFilesIsRefusedBySentence()
    {
        QTemporaryDir empty;
        QVERIFY(ui::readDemoStudy({}).isEmpty());
        QVERIFY_EXCEPTION_THROWN(ui::readDemoStudy(empty.path()), ui::Error);
        QFile file(empty.filePath("demo.json"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("{\"open\": [");
        file.close();
        QVERIFY_EXCEPTION_THROWN(ui::readDemoStudy(empty.path()), ui::Error);
    }
};

QTEST_MAIN(DemoTest)
#include "demo_test.moc"
