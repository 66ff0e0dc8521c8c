#include "support/shared_data.h"
#include "ui/model/video_document.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <opencv2/videoio.hpp>

using namespace ui;

namespace {

constexpr int frames = 40;

/// Motion JPEG; frame i has the grey 5 i, with a blue left half in frame 3.
QString makeVideo(const QString& path, double fps = 10)
{
    cv::VideoWriter writer(path.toStdString(), cv::CAP_OPENCV_MJPEG,
                           cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), fps, cv::Size(64, 48));
    for (int i = 0; i < frames; ++i) {
        cv::Mat frame(48, 64, CV_8UC3, cv::Scalar(i * 5, i * 5, i * 5));
        if (i == 3) {
            frame.colRange(0, 32).setTo(cv::Scalar(255, 0, 0));
        }
        writer.write(frame);
    }
    return path;
}

int grey(const QImage& image)
{
    return qRed(image.pixel(50, 20));
}

}  // namespace

class VideoDocumentTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    std::unique_ptr<VideoDocument> open(const QString& path)
    {
        return std::make_unique<VideoDocument>(path, path, QStringLiteral("title"));
    }

    void sharedVideos()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : {"zoom.mp4", "hyperkvasir-grid.mp4", "hyperkvasir-grid.webm",
                                 "hyperkvasir-classes.mp4"}) {
            QTest::addRow("%s", name) << QString::fromLatin1(name);
        }
    }

private Q_SLOTS:
    void everyFrameIsFoundInAnyOrder()
    {
        const auto document = open(makeVideo(m_folder.filePath(QStringLiteral("small.avi"))));
        QCOMPARE(document->frameCount(), frames);
        QCOMPARE(document->framesPerSecond(), 10.0);
        QCOMPARE(document->frameNoun(), QStringLiteral("frame"));
        QCOMPARE(document->subtitle(), QStringLiteral("Video · 64 × 48 · 40 frames · 0:04.0"));
        for (int i = 0; i < frames; ++i) {
            const int index = i * 17 % frames;
            const Frame frame = document->frame(index);
            QCOMPARE(frame.pixels.format(), QImage::Format_RGB888);
            QVERIFY(std::abs(grey(frame.pixels) - index * 5) <= 2);
            QCOMPARE(frame.ref.index, index);
        }
    }

    void theLabelIsTheTime()
    {
        const auto document = open(makeVideo(m_folder.filePath(QStringLiteral("time.avi"))));
        QCOMPARE(document->frame(0).label, QStringLiteral("0:00.0"));
        QCOMPARE(document->frame(3).label, QStringLiteral("0:00.3"));
        QCOMPARE(document->frame(39).label, QStringLiteral("0:03.9"));
    }

    void blueIsBlue()
    {
        const auto document = open(makeVideo(m_folder.filePath(QStringLiteral("blue.avi"))));
        const QRgb pixel = document->frame(3).pixels.pixel(10, 20);
        QVERIFY(qBlue(pixel) > 240 && qRed(pixel) < 15);
    }

    void brokenVideosSayWhy()
    {
        const QString path = m_folder.filePath(QStringLiteral("noise.mp4"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("\0\0\0\x18"
                   "ftypisom",
                   12);
        file.write(QByteArray(5000, 'x'));
        file.close();
        try {
            open(path);
            QFAIL("opened");
        } catch (const DocumentError& error) {
            QVERIFY2(error.sentence().contains(QStringLiteral("no decoder here reads it")),
                     error.what());
            QVERIFY(error.sentence().contains(path));
        }
        const auto document = open(makeVideo(m_folder.filePath(QStringLiteral("end.avi"))));
        QVERIFY_EXCEPTION_THROWN(document->frame(frames), DocumentError);
        QVERIFY_EXCEPTION_THROWN(document->frame(-1), DocumentError);
    }

    void aVideoCutShortShowsWhatItHas()
    {
        const QString whole = makeVideo(m_folder.filePath(QStringLiteral("whole.avi")));
        QFile in(whole);
        QVERIFY(in.open(QIODevice::ReadOnly));
        const QByteArray bytes = in.readAll();
        for (const double part : {0.02, 0.3, 0.6, 0.9}) {
            const QString path = m_folder.filePath(QStringLiteral("cut.avi"));
            QFile out(path);
            QVERIFY(out.open(QIODevice::WriteOnly));
            out.write(bytes.left(qsizetype(double(bytes.size()) * part)));
            out.close();
            try {
                const auto document = open(path);
                QVERIFY(document->frameCount() >= 1 && document->frameCount() <= frames);
                QVERIFY(std::abs(grey(document->frame(0).pixels)) <= 2);
            } catch (const DocumentError& error) {
                QVERIFY(part < 0.5);
                QVERIFY(error.sentence().contains(path));
            }
        }
    }

    void randomAccessGivesTheFramesOfASequentialDecode_data() { sharedVideos(); }
    void randomAccessGivesTheFramesOfASequentialDecode()
    {
        const auto shared = test::sharedData();
        if (!shared) {
            QSKIP(test::missingSharedData);
        }
        QFETCH(QString, name);
        const QString path =
            QString::fromStdString((*shared / "data/endoscopy").string()) + u'/' + name;
        QList<QImage> sequential;
        cv::VideoCapture capture(path.toStdString());
        for (cv::Mat frame; capture.read(frame);) {
            sequential << QImage(frame.data, frame.cols, frame.rows, int(frame.step),
                                 QImage::Format_BGR888)
                              .convertToFormat(QImage::Format_RGB888);
        }
        const auto document = open(path);
        QCOMPARE(document->frameCount(), int(sequential.size()));
        for (int i = 0; i < std::min<int>(12, int(sequential.size())); ++i) {
            const int index = int(i * 67 % sequential.size());
            QCOMPARE(document->frame(index).pixels, sequential[index]);
        }
        QCOMPARE(document->frame(0).pixels, sequential.front());
        QCOMPARE(document->frame(int(sequential.size()) - 1).pixels, sequential.back());
    }
};

QTEST_GUILESS_MAIN(VideoDocumentTest)
#include "video_document_test.moc"
