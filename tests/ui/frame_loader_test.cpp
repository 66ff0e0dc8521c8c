#include "ui/model/frame_loader.h"

#include <QElapsedTimer>
#include <QPointer>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QThread>
#include <QThreadPool>

#include <atomic>
#include <mutex>

using namespace ui;

namespace {

struct Log {
    std::mutex mutex;
    QStringList calls;
    std::atomic<int> inside = 0, most = 0;
    std::atomic<bool> open = true;  // frame() waits while false
    std::atomic<bool> destroyed = false;

    void add(const QString& call)
    {
        const std::lock_guard lock(mutex);
        calls << call;
    }
    QStringList all()
    {
        const std::lock_guard lock(mutex);
        return calls;
    }
};

class SlowDocument : public Document {
public:
    explicit SlowDocument(std::shared_ptr<Log> log)
        : m_log(std::move(log))
    {
    }
    ~SlowDocument() override { m_log->destroyed = true; }

    QString title() const override { return QStringLiteral("title"); }
    QString subtitle() const override { return QStringLiteral("subtitle"); }
    QString path() const override { return QStringLiteral("/path"); }
    QString frameNoun() const override { return QStringLiteral("slice"); }
    int frameCount() const override { return 100; }
    Frame frame(int index, const FrameOptions&) override
    {
        const Entered entered(*m_log);
        m_log->add(QStringLiteral("frame %1").arg(index));
        while (!m_log->open) {
            QThread::msleep(1);
        }
        if (index == 13) {
            throw DocumentError(QStringLiteral("Slice 14 is damaged."));
        }
        if (index == 14) {
            throw std::bad_alloc();
        }
        Frame frame;
        frame.label = QString::number(index);
        frame.pixels = QImage(4, 4, QImage::Format_RGB888);
        frame.pixels.fill(Qt::red);
        return frame;
    }
    QImage thumbnail(int index, int size) override
    {
        const Entered entered(*m_log);
        m_log->add(QStringLiteral("thumbnail %1").arg(index));
        if (index == 13) {
            throw DocumentError(QStringLiteral("no"));
        }
        return QImage(size, size, QImage::Format_RGB888);
    }
    QList<Property> properties(int) override
    {
        const Entered entered(*m_log);
        return {{QStringLiteral("name"), QStringLiteral("value")}};
    }

private:
    struct Entered {
        explicit Entered(Log& log)
            : m_log(log)
        {
            const int now = ++m_log.inside;
            m_log.most = std::max(m_log.most.load(), now);
        }
        ~Entered() { --m_log.inside; }
        Log& m_log;
    };
    std::shared_ptr<Log> m_log;
};

QString own(const char* name)
{
    return QStringLiteral(KVL_TEST_DATA "/images/") + QString::fromLatin1(name);
}

}  // namespace

class FrameLoaderTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aFrameComesBackOnTheGuiThreadWithItsOptions()
    {
        OpenDocument document(std::make_unique<SlowDocument>(std::make_shared<Log>()));
        QCOMPARE(document.title(), QStringLiteral("title"));
        QCOMPARE(document.frameCount(), 100);
        FrameOptions options;
        options.window = WindowLevel{40, 80};
        QThread* thread = nullptr;
        FrameOptions answered;
        connect(&document, &OpenDocument::frameReady, this,
                [&](int, const FrameOptions& with, const Frame&) {
                    thread = QThread::currentThread();
                    answered = with;
                });
        QSignalSpy ready(&document, &OpenDocument::frameReady);
        document.requestFrame(7, options);
        QVERIFY(ready.wait());
        QCOMPARE(ready[0][0].toInt(), 7);
        QCOMPARE(ready[0][2].value<Frame>().label, QStringLiteral("7"));
        QCOMPARE(thread, this->thread());
        QCOMPARE(answered, options);
    }

    void ofSeveralRequestsTheLatestWins()
    {
        const auto log = std::make_shared<Log>();
        OpenDocument document(std::make_unique<SlowDocument>(log));
        QSignalSpy ready(&document, &OpenDocument::frameReady);
        log->open = false;
        document.requestFrame(0);
        QTRY_COMPARE(log->all().size(), 1);
        for (int i = 1; i < 60; ++i) {
            document.requestFrame(i);
        }
        log->open = true;
        QTRY_COMPARE(ready.size(), 2);
        QTest::qWait(20);
        QCOMPARE(ready.size(), 2);
        QCOMPARE(ready[0][0].toInt(), 0);
        QCOMPARE(ready[1][0].toInt(), 59);
        QCOMPARE(log->all(), (QStringList{QStringLiteral("frame 0"), QStringLiteral("frame 59")}));
    }

    void thumbnailsYieldToFrames()
    {
        const auto log = std::make_shared<Log>();
        OpenDocument document(std::make_unique<SlowDocument>(log));
        QSignalSpy thumbnails(&document, &OpenDocument::thumbnailReady);
        log->open = false;
        document.requestFrame(0);
        QTRY_COMPARE(log->all().size(), 1);
        for (int i = 0; i < 10; ++i) {
            document.requestThumbnail(i, 16);
            document.requestThumbnail(i, 16);  // the same again is not done again
        }
        document.requestFrame(1);
        log->open = true;
        QTRY_COMPARE(thumbnails.size(), 10);
        QCOMPARE(log->all().mid(0, 3),
                 (QStringList{QStringLiteral("frame 0"), QStringLiteral("frame 1"),
                              QStringLiteral("thumbnail 0")}));
        QCOMPARE(log->all().size(), 12);
        QCOMPARE(log->most.load(), 1);
    }

    void oneCallAtATimeReachesTheDocument()
    {
        const auto log = std::make_shared<Log>();
        OpenDocument document(std::make_unique<SlowDocument>(log));
        QSignalSpy ready(&document, &OpenDocument::frameReady),
            thumbnails(&document, &OpenDocument::thumbnailReady);
        for (int i = 20; i < 90; ++i) {
            document.requestFrame(i);
            document.requestThumbnail(i, 8);
            document.requestProperties(i);
            QThread::usleep(100);
        }
        QTRY_COMPARE(thumbnails.size(), 70);
        QTRY_VERIFY(!ready.isEmpty() && ready.last()[0].toInt() == 89);
        QCOMPARE(log->most.load(), 1);
    }

    void failuresAreSentences()
    {
        OpenDocument document(std::make_unique<SlowDocument>(std::make_shared<Log>()));
        QSignalSpy failed(&document, &OpenDocument::failed),
            thumbnails(&document, &OpenDocument::thumbnailReady);
        document.requestFrame(13);
        QVERIFY(failed.wait());
        QCOMPARE(failed[0][0].toInt(), 13);
        QCOMPARE(failed[0][1].toString(), QStringLiteral("Slice 14 is damaged."));
        document.requestFrame(14);
        QVERIFY(failed.wait());
        QVERIFY(failed[1][1].toString().contains(QStringLiteral("not enough memory")));
        document.requestThumbnail(13, 16);
        QVERIFY(thumbnails.wait());
        QVERIFY(thumbnails[0][1].value<QImage>().isNull());
        QCOMPARE(failed.size(), 2);
    }

    void propertiesComeBack()
    {
        OpenDocument document(std::make_unique<SlowDocument>(std::make_shared<Log>()));
        QSignalSpy ready(&document, &OpenDocument::propertiesReady);
        document.requestProperties(3);
        QVERIFY(ready.wait());
        QCOMPARE(ready[0][1].value<QList<Property>>().value(0).value, QStringLiteral("value"));
    }

    void deletingADocumentNeverWaitsForItsJob()
    {
        const auto log = std::make_shared<Log>();
        log->open = false;
        auto document = std::make_unique<OpenDocument>(std::make_unique<SlowDocument>(log));
        document->requestFrame(1);
        for (int i = 0; i < 50; ++i) {
            document->requestThumbnail(i, 16);
        }
        QTRY_COMPARE(log->all().size(), 1);
        QElapsedTimer timer;
        timer.start();
        document.reset();
        QVERIFY(timer.elapsed() < 50);
        QVERIFY(!log->destroyed);
        log->open = true;
        QTRY_VERIFY(log->destroyed);
        QTest::qWait(10);
        QCOMPARE(log->all().size(), 1);
    }

    void documentsMadeAndDeletedAtOnceDoNoHarm()
    {
        for (int i = 0; i < 300; ++i) {
            auto document = std::make_unique<OpenDocument>(
                std::make_unique<SlowDocument>(std::make_shared<Log>()));
            document->requestFrame(i % 100);
            document->requestThumbnail(1, 8);
            if (i % 3 == 0) {
                QThread::usleep(50);
            }
            if (i % 7 == 0) {
                QCoreApplication::processEvents();
            }
        }
        QVERIFY(QThreadPool::globalInstance()->waitForDone(5000));
    }

    void filesOpenInOrderAndFailuresNameTheirs()
    {
        DocumentOpener opener;
        QStringList opened;
        connect(&opener, &DocumentOpener::opened, this, [&](OpenDocument* document) {
            document->setParent(this);
            opened << document->title();
        });
        QSignalSpy failed(&opener, &DocumentOpener::failed),
            busy(&opener, &DocumentOpener::busyChanged);
        opener.open(
            {own("rgb8.png"), QStringLiteral("/none"), own("moving.gif"), own("gray8.tif")});
        QTRY_VERIFY(!busy.isEmpty() && !busy.last()[0].toBool());
        QCOMPARE(opened,
                 (QStringList{QStringLiteral("rgb8.png"), QStringLiteral("moving.gif"),
                              QStringLiteral("gray8.tif")}));
        QCOMPARE(failed.size(), 1);
        QCOMPARE(failed[0][0].toString(), QStringLiteral("/none"));
        QCOMPARE(busy[0][1].toString(), QStringLiteral("rgb8.png"));
    }

    void aDocumentThatNoOneTakesIsDeleted()
    {
        DocumentOpener opener;
        QPointer<OpenDocument> seen;
        connect(&opener, &DocumentOpener::opened, this,
                [&](OpenDocument* document) { seen = document; });
        QSignalSpy opened(&opener, &DocumentOpener::opened);
        opener.open({own("rgb8.png")});
        QVERIFY(opened.wait());
        QTRY_VERIFY(seen.isNull());
    }

    void cancellingEndsAtOnceAndNothingComesAfter()
    {
        DocumentOpener opener;
        int opened = 0;
        connect(&opener, &DocumentOpener::opened, this, [&](OpenDocument* document) {
            document->setParent(this);
            ++opened;
        });
        QSignalSpy failed(&opener, &DocumentOpener::failed),
            busy(&opener, &DocumentOpener::busyChanged);
        QStringList many;
        for (int i = 0; i < 500; ++i) {
            many << own("rgb8.png");
        }
        opener.open(many);
        QElapsedTimer timer;
        timer.start();
        opener.cancel();
        QTRY_VERIFY(!busy.isEmpty() && !busy.last()[0].toBool());
        QVERIFY(timer.elapsed() < 200);
        QThreadPool::globalInstance()->waitForDone(5000);
        QTest::qWait(20);
        QCOMPARE(opened, 0);
        QCOMPARE(failed.size(), 0);
        opener.open({own("rgb8.png")});
        QTRY_COMPARE(opened, 1);
    }

    void anOpenerMayGoWhileItWorks()
    {
        for (int i = 0; i < 40; ++i) {
            DocumentOpener opener;
            opener.open({own("rgb8.png"), own("pages.tif")});
            if (i % 2) {
                QTest::qWait(1);
            }
        }
        QVERIFY(QThreadPool::globalInstance()->waitForDone(5000));
    }
};

QTEST_GUILESS_MAIN(FrameLoaderTest)
#include "frame_loader_test.moc"
