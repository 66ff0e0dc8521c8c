#include "ui/model/engine_thread.h"

#include "support/fake_engine.h"

#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>

#include <atomic>

using inference::Channel;

namespace {

inference::Request question(const char* text)
{
    inference::Request request;
    request.messages.push_back({inference::Role::User, text, {}});
    return request;
}

/// A thread with the fake loaded.
struct Loaded {
    std::shared_ptr<test::FakeModel> model = std::make_shared<test::FakeModel>();
    ui::EngineThread engine{test::fakeFactory(model)};
    QSignalSpy pieces{&engine, &ui::EngineThread::pieceReady};
    QSignalSpy answered{&engine, &ui::EngineThread::answered};
    QSignalSpy failed{&engine, &ui::EngineThread::failed};

    bool load()
    {
        engine.load({.checkpoint = "fake"});
        return QTest::qWaitFor([this] { return engine.state() == ui::EngineThread::State::Ready; });
    }
};

inference::Answer answerOf(const QSignalSpy& spy, int row)
{
    return spy[row][1].value<inference::Answer>();
}

}  // namespace

class EngineThreadTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void thoughtThenAnswerArriveInOrder()
    {
        Loaded one;
        QVERIFY(one.load());
        one.model->script = [](const auto&) { return test::says("why", "because"); };
        const quint64 id = one.engine.ask(question("?"));
        QVERIFY(one.engine.isBusy());
        QVERIFY(one.answered.wait());
        QVERIFY(!one.engine.isBusy());
        QCOMPARE(one.pieces.size(), 2);
        QCOMPARE(one.pieces[0][0].toULongLong(), id);
        QCOMPARE(one.pieces[0][1].value<Channel>(), Channel::Thinking);
        QCOMPARE(one.pieces[0][2].toString(), QStringLiteral("why"));
        QCOMPARE(one.pieces[1][1].value<Channel>(), Channel::Answer);
        QCOMPARE(one.pieces[1][2].toString(), QStringLiteral("because"));
        QCOMPARE(answerOf(one.answered, 0).stop, inference::StopReason::EndOfTurn);
        QCOMPARE(one.failed.size(), 0);
    }

    void loadTellsProgressAndInfo()
    {
        Loaded one;
        QSignalSpy progress(&one.engine, &ui::EngineThread::loadProgress);
        QVERIFY(one.load());
        QCOMPARE(QString::fromStdString(one.engine.info().name), QStringLiteral("fake-1B"));
        QCOMPARE(progress.last()[0].toLongLong(), 100);
    }

    void aFastModelSendsAtMostThirtySignalsASecondAndTheWindowStaysLive()
    {
        Loaded one;
        QVERIFY(one.load());
        one.model->script = [](const auto&) {
            test::Script script;
            for (int i = 0; i < 10'000; ++i) {
                script.pieces.emplace_back(Channel::Answer, "token" + std::to_string(i) + " ");
            }
            script.delay = std::chrono::microseconds(20);
            return script;
        };
        // The longest time that an event had to wait, from a timer that fires as often as it can.
        QTimer probe;
        probe.setTimerType(Qt::PreciseTimer);
        QElapsedTimer sinceProbe;
        qint64 longest = 0;
        QString text;
        connect(&probe, &QTimer::timeout, this,
                [&] { longest = std::max(longest, sinceProbe.restart()); });
        connect(&one.engine, &ui::EngineThread::pieceReady, this,
                [&](quint64, Channel, const QString& piece) { text += piece; });
        QElapsedTimer total;
        total.start();
        sinceProbe.start();
        probe.start(1);
        one.engine.ask(question("?"));
        QVERIFY(one.answered.wait(60'000));
        const double seconds = double(total.elapsed()) / 1000;
        probe.stop();
        qInfo("10,000 tokens in %.2f s, %d signals, longest gap of the event loop %lld ms", seconds,
              int(one.pieces.size()), static_cast<long long>(longest));
        QVERIFY(longest < 50);
        QVERIFY(one.pieces.size() <= int(seconds * 30) + 2);
        QVERIFY(text.endsWith(QStringLiteral("token9999 ")));
        QCOMPARE(text.count(QLatin1Char(' ')), 10'000);
    }

    void cancelEndsALongAnswerWithWhatThereIs()
    {
        Loaded one;
        QVERIFY(one.load());
        one.model->script = [](const auto&) {
            test::Script script = test::says({}, "first words");
            script.untilStopped = true;
            return script;
        };
        one.engine.ask(question("?"));
        QVERIFY(one.pieces.wait());
        QElapsedTimer time;
        time.start();
        one.engine.cancel();
        QVERIFY(one.answered.wait());
        QVERIFY(time.elapsed() < 200);
        QCOMPARE(answerOf(one.answered, 0).stop, inference::StopReason::Cancelled);
        QCOMPARE(answerOf(one.answered, 0).answer, std::string("first words"));
    }

    void anErrorBecomesASentenceAndTheModelStays()
    {
        Loaded one;
        QVERIFY(one.load());
        one.model->script = [](const auto&) {
            test::Script script = test::says({}, "half");
            script.error = "The picture needs 3,328 tokens and 100 are left.";
            return script;
        };
        const quint64 id = one.engine.ask(question("?"));
        QVERIFY(one.failed.wait());
        QCOMPARE(one.failed[0][0].toULongLong(), id);
        QCOMPARE(one.failed[0][1].toString(),
                 QStringLiteral("The picture needs 3,328 tokens and 100 are left."));
        QCOMPARE(one.pieces.size(), 1);
        QVERIFY(one.engine.state() == ui::EngineThread::State::Ready);
        one.model->script = [](const auto&) { return test::says({}, "whole"); };
        one.engine.ask(question("again"));
        QVERIFY(one.answered.wait());
    }

    void eachExceptionOfTheFactoryBecomesASentence_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<QString>("part");
        QTest::newRow("own") << 0 << QStringLiteral("config.json is missing");
        QTest::newRow("memory") << 1 << QStringLiteral("not enough memory");
        QTest::newRow("std") << 2 << QStringLiteral("stoi");
        QTest::newRow("unknown") << 3 << QStringLiteral("unknown kind");
        QTest::newRow("nothing") << 4 << QStringLiteral("without a model");
    }
    void eachExceptionOfTheFactoryBecomesASentence()
    {
        QFETCH(int, kind);
        QFETCH(QString, part);
        ui::EngineThread engine([kind](const auto&, const auto&,
                                       std::stop_token) -> std::unique_ptr<inference::Engine> {
            switch (kind) {
            case 0:
                throw inference::Error("/models/x: config.json is missing.");
            case 1:
                throw std::bad_alloc();
            case 2:
                throw std::invalid_argument("stoi");
            case 3:
                throw 7;
            default:
                return nullptr;
            }
        });
        engine.load({});
        QTRY_VERIFY(engine.state() == ui::EngineThread::State::Failed);
        QVERIFY2(engine.failure().contains(part), qPrintable(engine.failure()));
        QVERIFY(engine.failure().endsWith(QLatin1Char('.')) || kind == 2);
    }

    void askingWithoutAModelSaysSo()
    {
        Loaded one;
        one.engine.ask(question("?"));
        QVERIFY(one.failed.wait());
        QVERIFY(one.failed[0][1].toString().contains(QStringLiteral("No model is loaded")));
    }

    void aCancelledLoadLeavesNoModel()
    {
        std::atomic<bool> started = false;
        ui::EngineThread engine([&](const auto&, const auto& onProgress,
                                    std::stop_token stop) -> std::unique_ptr<inference::Engine> {
            started = true;
            for (int i = 0; !stop.stop_requested(); ++i) {
                onProgress(i, 1'000'000);
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
            throw inference::Cancelled();
        });
        QSignalSpy changes(&engine, &ui::EngineThread::stateChanged);
        engine.load({});
        QVERIFY(engine.state() == ui::EngineThread::State::Loading);
        QTRY_VERIFY(started);
        engine.cancelLoad();
        QTRY_VERIFY(engine.state() == ui::EngineThread::State::Empty);
        QVERIFY(engine.failure().isEmpty());
        QCOMPARE(changes.size(), 2);
    }

    void aNewerLoadWinsOverAnOlderOne()
    {
        const auto factory = [](const inference::LoadOptions& options, const auto&,
                                std::stop_token stop) -> std::unique_ptr<inference::Engine> {
            auto model = std::make_shared<test::FakeModel>();
            model->info.name = options.checkpoint.string();
            if (model->info.name == "slow") {
                while (!stop.stop_requested()) {
                    std::this_thread::sleep_for(std::chrono::milliseconds(1));
                }
            }
            return std::make_unique<test::FakeEngine>(model);
        };
        ui::EngineThread engine(factory);
        engine.load({.checkpoint = "slow"});
        engine.load({.checkpoint = "quick"});
        QTRY_VERIFY(engine.state() == ui::EngineThread::State::Ready);
        QCOMPARE(engine.info().name, std::string("quick"));
    }

    void loadingWhileBusyCancelsTheAnswer()
    {
        Loaded one;
        QVERIFY(one.load());
        one.model->script = [](const auto&) {
            test::Script script = test::says({}, "words");
            script.untilStopped = true;
            return script;
        };
        one.engine.ask(question("?"));
        QVERIFY(one.pieces.wait());
        one.engine.load({.checkpoint = "another"});
        QVERIFY(one.engine.state() == ui::EngineThread::State::Loading);
        QTRY_COMPARE(one.answered.size(), 1);
        QCOMPARE(answerOf(one.answered, 0).stop, inference::StopReason::Cancelled);
        QTRY_VERIFY(one.engine.state() == ui::EngineThread::State::Ready);
    }

    void unloadingForgetsTheModel()
    {
        Loaded one;
        QVERIFY(one.load());
        one.engine.unload();
        QVERIFY(one.engine.state() == ui::EngineThread::State::Empty);
        QCOMPARE(one.engine.info().name, std::string());
        one.engine.ask(question("?"));
        QVERIFY(one.failed.wait());
    }

    void aSecondQuestionSilencesTheFirst()
    {
        Loaded one;
        QVERIFY(one.load());
        one.model->script = [](const inference::Request& request) {
            test::Script script = test::says({}, request.messages[0].text);
            script.untilStopped = request.messages[0].text == "first";
            return script;
        };
        const quint64 first = one.engine.ask(question("first"));
        const quint64 second = one.engine.ask(question("second"));
        QVERIFY(first != second);
        QTRY_COMPARE(one.answered.size(), 2);  // each question ends once
        QCOMPARE(one.answered[0][0].toULongLong(), first);
        QCOMPARE(answerOf(one.answered, 0).stop, inference::StopReason::Cancelled);
        QCOMPARE(one.answered[1][0].toULongLong(), second);
        QCOMPARE(one.pieces.size(), 1);
        QCOMPARE(one.pieces[0][0].toULongLong(), second);
        QVERIFY(!one.engine.isBusy());
    }

    void destroyingWhileBusyDoesNotWaitForTheAnswer()
    {
        QElapsedTimer time;
        {
            Loaded one;
            QVERIFY(one.load());
            one.model->script = [](const auto&) {
                test::Script script = test::says({}, "words");
                script.untilStopped = true;
                return script;
            };
            one.engine.ask(question("?"));
            QVERIFY(one.pieces.wait());
            time.start();
        }
        QVERIFY(time.elapsed() < 1000);
    }

    void questionStopsAVerificationAndIsAnswered()
    {
        const auto model = std::make_shared<test::FakeModel>();
        ui::EngineThread engine(test::fakeFactory(model),
                                test::fakeVerifier({.untilStopped = true}));
        QSignalSpy ended(&engine, &ui::EngineThread::checkEnded);
        QSignalSpy failed(&engine, &ui::EngineThread::verifyFailed);
        QSignalSpy answered(&engine, &ui::EngineThread::answered);
        engine.load({});
        engine.verify();
        engine.verify();  // changes nothing
        QTRY_COMPARE(ended.size(), 3);
        engine.ask(question("?"));
        QVERIFY(answered.wait());
        QCOMPARE(failed.size(), 1);
        QCOMPARE(failed[0][0].toString(), QString());
        QVERIFY(!engine.isVerifying());
    }

    void verifyingWithoutAModelSaysSo()
    {
        ui::EngineThread engine(test::fakeFactory(std::make_shared<test::FakeModel>()));
        QSignalSpy failed(&engine, &ui::EngineThread::verifyFailed);
        engine.verify();
        QVERIFY(failed.wait());
        QVERIFY(failed[0][0].toString().contains("No model is loaded"));
    }

    void onlyTheLatestOfWaitingCountsComesBack()
    {
        Loaded one;
        QVERIFY(one.load());
        QSignalSpy counted(&one.engine, &ui::EngineThread::counted);
        one.model->script = [](const auto&) {
            test::Script script;
            script.untilStopped = true;
            return script;
        };
        one.engine.ask(question("?"));  // keeps the engine busy
        inference::Request two = question("?");
        two.messages.push_back({inference::Role::Assistant, "!", {}});
        one.engine.count(question("?"));
        const quint64 id = one.engine.count(two);
        one.engine.cancel();
        QVERIFY(counted.wait());
        QCOMPARE(counted[0][0].toULongLong(), id);
        QCOMPARE(counted[0][1].value<inference::ContextUse>().question, 2);
        QTest::qWait(20);
        QCOMPARE(counted.size(), 1);
    }

    void countingWithoutAModelSaysSo()
    {
        ui::EngineThread engine(test::fakeFactory(std::make_shared<test::FakeModel>()));
        QSignalSpy failed(&engine, &ui::EngineThread::countFailed);
        engine.count(question("?"));
        QVERIFY(failed.wait());
        QVERIFY(failed[0][1].toString().contains("No model is loaded"));
    }
};

QTEST_GUILESS_MAIN(EngineThreadTest)
#include "engine_thread_test.moc"
