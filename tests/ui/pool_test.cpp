#include "ui/model/pool.h"

#include <QCoreApplication>
#include <QTest>
#include <QThread>

#include <atomic>
#include <stdexcept>

namespace {

/// QCoreApplication wants a command line.
struct Application {
    int count = 1;
    char name[5] = "test";
    char* words[2] = {name, nullptr};
    QCoreApplication application{count, words};
};

class PoolTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // first, as the program would meet it: no job has come back yet
    void aJobMayEndAfterTheApplication()
    {
        std::atomic<bool> ended = false, called = false;
        {
            const Application application;
            ui::runOnPool([&] {
                while (QCoreApplication::instance() != nullptr) {
                    QThread::msleep(1);
                }
                ui::runOnGui([&] { called = true; });
                ended = true;
            });
        }  // waits for the pool
        QVERIFY(ended);
        QVERIFY(!called);
    }

    void resultsComeBackOnTheThreadOfTheApplication()
    {
        const Application application;
        QObject context;
        int sum = 0;
        QString failure;
        QThread* where = nullptr;
        for (int i = 1; i <= 4; ++i) {
            ui::runOnPool(
                &context, [i] { return i; },
                [&](const ui::PoolResult<int>& result) {
                    sum += *result.value;
                    where = QThread::currentThread();
                });
        }
        ui::runOnPool(
            &context, []() -> int { throw std::runtime_error("no paper"); },
            [&](const ui::PoolResult<int>& result) {
                QVERIFY(!result.value);
                failure = result.failure;
            });
        QTRY_COMPARE(sum, 10);
        QTRY_COMPARE(failure, QStringLiteral("no paper"));
        QCOMPARE(where, QThread::currentThread());
    }

    void nothingIsDoneForWhatIsGone()
    {
        const Application application;
        auto context = std::make_unique<QObject>();
        std::atomic<bool> ran = false;
        bool done = false, after = false;
        ui::runOnPool(
            context.get(), [&] { return ran.exchange(true); },
            [&](const ui::PoolResult<bool>&) { done = true; });
        context.reset();
        QTRY_VERIFY(ran);
        ui::runOnGui([&] { after = true; });
        QTRY_VERIFY(after);
        QVERIFY(!done);
    }
};

}  // namespace

QTEST_APPLESS_MAIN(PoolTest)
#include "pool_test.moc"
