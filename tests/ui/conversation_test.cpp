#include "ui/model/ask.h"
#include "ui/model/conversation.h"
#include "ui/model/session_store.h"

#include "support/fake_engine.h"

#include <QElapsedTimer>
#include <QGuiApplication>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <cstdio>

using inference::Channel;
using ui::Conversation;
using ui::Turn;
using ui::TurnState;

namespace {

QImage plain(int width, int height, Qt::GlobalColor colour)
{
    QImage image(width, height, QImage::Format_RGB888);
    image.fill(colour);
    return image;
}

ui::AttachedFrame attached(const QString& file, const QImage& pixels, const QRect& region = {})
{
    ui::AttachedFrame one;
    one.frame.ref.file = file;
    one.frame.pixels = pixels;
    one.region = region;
    one.title = file;
    return one;
}

/// Engine, writer and conversation, as main() joins them.
struct Desk {
    explicit Desk(const QString& file)
        : writer(file)
    {
    }

    bool load()
    {
        engine.load({});
        return QTest::qWaitFor([this] { return engine.state() == ui::EngineThread::State::Ready; });
    }
    bool idle()
    {
        return QTest::qWaitFor([this] { return !conversation.isBusy(); });
    }
    const Turn& last() const { return conversation.session().turns.last(); }
    /// Once the store has said its id.
    bool stored()
    {
        return QTest::qWaitFor([this] { return conversation.session().id != 0 && last().id != 0; });
    }

    std::shared_ptr<test::FakeModel> model = std::make_shared<test::FakeModel>();
    ui::EngineThread engine{test::fakeFactory(model)};
    ui::SessionWriter writer;
    Conversation conversation{engine, writer};
};

}  // namespace

class ConversationTest : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> m_folder;
    QString m_file;

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_file = m_folder->filePath(QStringLiteral("sessions.db"));
    }

    void anAnswerGrowsAndIsKept()
    {
        qint64 id = 0;
        {
            Desk desk(m_file);
            QVERIFY(desk.load());
            desk.model->script = [](const auto&) {
                test::Script script = test::says("Let me look.", "It is a polyp.");
                script.boxes = {{"polyp", 0, 1, 2, 3, 4}};
                script.images = {{40, 30, {1, 1}, 1, 256}};
                script.delay = std::chrono::milliseconds(60);
                return script;
            };
            QSignalSpy added(&desk.conversation, &Conversation::turnAdded);
            QSignalSpy thinking(&desk.conversation, &Conversation::thinkingGrew);
            QSignalSpy answer(&desk.conversation, &Conversation::answerGrew);
            QSignalSpy changed(&desk.conversation, &Conversation::turnChanged);
            QSignalSpy busy(&desk.conversation, &Conversation::busyChanged);
            QSignalSpy session(&desk.conversation, &Conversation::sessionChanged);
            ui::AskOptions options;
            options.sampling.seed = 9;
            options.maxTiles = 4;
            desk.conversation.setOptions(options);
            desk.conversation.ask(QStringLiteral("What is it?"),
                                  {attached(QStringLiteral("/a.png"), plain(50, 40, Qt::red),
                                            QRect(10, 10, 40, 30))});
            QCOMPARE(added.size(), 1);
            QVERIFY(desk.last().state == TurnState::Running);
            QVERIFY(desk.idle());
            QCOMPARE(thinking[0][1].toString(), QStringLiteral("Let me look."));
            QCOMPARE(answer[0][1].toString(), QStringLiteral("It is a polyp."));
            QCOMPARE(changed.size(), 1);
            QCOMPARE(busy.size(), 2);
            QCOMPARE(session.size(), 1);
            const Turn& turn = desk.last();
            QVERIFY(turn.state == TurnState::Done);
            QCOMPARE(turn.thinking, QStringLiteral("Let me look."));
            QCOMPARE(turn.answer, QStringLiteral("It is a polyp."));
            QVERIFY(turn.text.contains(QStringLiteral("</think>")));
            QVERIFY2(turn.thinkingSeconds > 0.03 && turn.thinkingSeconds < 1,
                     qPrintable(QString::number(turn.thinkingSeconds)));
            QCOMPARE(turn.boxes[0].rect, QRectF(11, 12, 3, 4));
            QCOMPARE(turn.attachments[0].tokens, 256);
            QCOMPARE(turn.provenance.modelName, QStringLiteral("fake-1B"));
            QCOMPARE(turn.provenance.seed, 9U);
            QCOMPARE(turn.provenance.maxTiles, 4);
            QCOMPARE(turn.provenance.newIds, (QList<int>{4, 5}));
            QCOMPARE(desk.conversation.session().title, QStringLiteral("What is it?"));
            QVERIFY(desk.stored());
            id = desk.conversation.session().id;
            const auto request = desk.model->requests()[0];
            QCOMPARE(request.messages[0].images[0].width, 40);
            QCOMPARE(request.maxTiles, 4);
        }
        const ui::Session loaded = ui::SessionStore(m_file).load(id);
        QVERIFY(loaded.turns[0].state == TurnState::Done);
        QCOMPARE(loaded.turns[0].answer, QStringLiteral("It is a polyp."));
        QCOMPARE(loaded.turns[0].boxes.size(), 1);
        QCOMPARE(loaded.turns[0].provenance.newIds, (QList<int>{4, 5}));
    }

    void aPictureIsSentOncePerConversationAndNeverCopied()
    {
        Desk desk(m_file);
        QVERIFY(desk.load());
        const QImage pixels = plain(50, 40, Qt::red);
        const auto frame = attached(QStringLiteral("/a.png"), pixels);
        desk.conversation.ask(QStringLiteral("one"), {frame, frame});
        QVERIFY(desk.idle());
        desk.conversation.ask(QStringLiteral("two"),
                              {frame, attached(QStringLiteral("/b.png"), plain(9, 9, Qt::blue))});
        QVERIFY(desk.idle());
        QCOMPARE(desk.conversation.session().turns[0].attachments.size(), 1);
        QCOMPARE(desk.conversation.session().turns[1].attachments.size(), 1);
        const auto messages = desk.model->requests()[1].messages;
        QCOMPARE(int(messages.size()), 3);
        QVERIFY(messages[0].images[0].row(0) == pixels.constBits());
        QCOMPARE(messages[1].text, std::string("An answer."));
        QCOMPARE(messages[2].text, std::string("Image-2: <image>\ntwo"));
        QCOMPARE(messages[2].images[0].width, 9);
    }

    void whatIsCountedIsWhatIsAsked()
    {
        Desk desk(m_file);
        QVERIFY(desk.load());
        // Several frames of a video beside a region of a still.
        QList<ui::AttachedFrame> frames;
        for (int i = 0; i < 8; ++i) {
            frames << attached(QStringLiteral("/v.mp4"), plain(64, 36, Qt::red));
            frames.last().frame.ref.index = 30 * i;
        }
        frames << frames.first();  // known by now
        desk.conversation.ask(QStringLiteral("First?"),
                              {attached(QStringLiteral("/a.png"), plain(50, 40, Qt::blue))});
        QVERIFY(desk.idle());
        frames << attached(QStringLiteral("/a.png"), plain(50, 40, Qt::blue));
        frames << attached(QStringLiteral("/a.png"), plain(50, 40, Qt::blue), {5, 5, 20, 10});
        const inference::Request pending =
            desk.conversation.pending(QStringLiteral("  Then? "), frames);
        desk.conversation.ask(QStringLiteral("  Then? "), frames);
        QVERIFY(desk.idle());
        const inference::Request asked = desk.model->requests().back();
        QCOMPARE(pending.messages.size(), asked.messages.size());
        QCOMPARE(pending.messages.back().images.size(), std::size_t(9));
        for (std::size_t i = 0; i < asked.messages.size(); ++i) {
            QCOMPARE(pending.messages[i].text, asked.messages[i].text);
            QCOMPARE(pending.messages[i].images.size(), asked.messages[i].images.size());
            for (std::size_t j = 0; j < asked.messages[i].images.size(); ++j) {
                QCOMPARE(pending.messages[i].images[j].width, asked.messages[i].images[j].width);
                QCOMPARE(pending.messages[i].images[j].height, asked.messages[i].images[j].height);
            }
        }
        QCOMPARE(pending.maxNewTokens, asked.maxNewTokens);
        QCOMPARE(pending.maxTiles, asked.maxTiles);
    }

    void stoppingKeepsWhatThereIs()
    {
        Desk desk(m_file);
        QVERIFY(desk.load());
        desk.model->script = [](const auto&) {
            test::Script script = test::says({}, "Half an answer");
            script.untilStopped = true;
            return script;
        };
        QSignalSpy answer(&desk.conversation, &Conversation::answerGrew);
        desk.conversation.ask(QStringLiteral("?"), {});
        QVERIFY(answer.wait());
        desk.conversation.stop();
        QVERIFY(desk.idle());
        QVERIFY(desk.last().state == TurnState::Stopped);
        QCOMPARE(desk.last().answer, QStringLiteral("Half an answer"));
    }

    void aFailureStandsWhereTheAnswerWouldBe()
    {
        Desk desk(m_file);
        QVERIFY(desk.load());
        desk.model->script = [](const auto&) {
            test::Script script;
            script.error = "Not enough memory for 13 tiles.";
            return script;
        };
        desk.conversation.ask(QStringLiteral("?"), {});
        QVERIFY(desk.idle());
        QVERIFY(desk.last().state == TurnState::Failed);
        QCOMPARE(desk.last().error, QStringLiteral("Not enough memory for 13 tiles."));
        desk.model->script = [](const auto&) { return test::says({}, "now"); };
        desk.conversation.ask(QStringLiteral("again"), {});
        QVERIFY(desk.idle());
        QCOMPARE(int(desk.model->requests()[1].messages.size()), 1);  // the failed turn is left out
    }

    void askingWithoutAModelFailsInTheConversation()
    {
        Desk desk(m_file);
        desk.conversation.ask(QStringLiteral("?"), {});
        QVERIFY(desk.idle());
        QVERIFY(desk.last().error.contains(QStringLiteral("No model is loaded")));
    }

    void aTokenLimitIsSaid()
    {
        Desk desk(m_file);
        QVERIFY(desk.load());
        desk.model->script = [](const auto&) {
            test::Script script = test::says({}, "cut");
            script.tokenLimit = true;
            return script;
        };
        desk.conversation.ask(QStringLiteral("?"), {});
        QVERIFY(desk.idle());
        QVERIFY(desk.last().state == TurnState::TokenLimit);
    }

    void regeneratingReplacesTheLastTurn()
    {
        Desk desk(m_file);
        QVERIFY(desk.load());
        ui::AskOptions options;
        options.sampling.temperature = 0.7;
        options.sampling.seed = 5;
        desk.conversation.setOptions(options);
        desk.conversation.ask(QStringLiteral("one"), {});
        QVERIFY(desk.idle());
        desk.conversation.ask(QStringLiteral("two"),
                              {attached(QStringLiteral("/a.png"), plain(50, 40, Qt::red))});
        QVERIFY(desk.idle());
        QVERIFY(desk.stored());
        QSignalSpy removed(&desk.conversation, &Conversation::turnRemoved);
        QSignalSpy added(&desk.conversation, &Conversation::turnAdded);
        desk.model->script = [](const auto&) { return test::says({}, "Another one."); };
        desk.conversation.regenerate();
        QCOMPARE(removed[0][0].toInt(), 1);
        QCOMPARE(added[0][0].toInt(), 1);
        QVERIFY(desk.idle());
        QVERIFY(desk.stored());
        QCOMPARE(desk.conversation.session().turns.size(), 2);
        QCOMPARE(desk.last().answer, QStringLiteral("Another one."));
        QCOMPARE(desk.last().question, QStringLiteral("two"));
        QCOMPARE(desk.last().attachments.size(), 1);
        QCOMPARE(desk.last().provenance.seed, 6U);
        const auto requests = desk.model->requests();
        QCOMPARE(requests[2].messages.back().text, requests[1].messages.back().text);
        QCOMPARE(int(requests[2].sampling.seed), 6);
        desk.writer.list();
        QSignalSpy listed(&desk.writer, &ui::SessionWriter::listed);
        QVERIFY(listed.wait());
        const auto list = listed[0][0].value<QList<ui::SessionSummary>>();
        QCOMPARE(list.size(), 1);
        QCOMPARE(list[0].turns, 2);
    }

    void aNewSessionLeavesTheOldAnswerBehind()
    {
        Desk desk(m_file);
        QVERIFY(desk.load());
        desk.model->script = [](const inference::Request& request) {
            test::Script script = test::says({}, request.messages.back().text);
            script.untilStopped = request.messages.back().text == "old";
            return script;
        };
        QSignalSpy answer(&desk.conversation, &Conversation::answerGrew);
        desk.conversation.ask(QStringLiteral("old"), {});
        QVERIFY(answer.wait());
        desk.conversation.startNew();
        QVERIFY(!desk.conversation.isBusy());
        QVERIFY(desk.conversation.session().turns.isEmpty());
        desk.conversation.ask(QStringLiteral("new"), {});
        QVERIFY(desk.idle());
        QCOMPARE(desk.conversation.session().turns.size(), 1);
        QCOMPARE(desk.last().answer, QStringLiteral("new"));
        QVERIFY(desk.stored());
        QCOMPARE(desk.conversation.session().id, 2);
        desk.writer.load(1);
        QSignalSpy loaded(&desk.writer, &ui::SessionWriter::loaded);
        QVERIFY(loaded.wait());
        const auto old = loaded[0][0].value<ui::Session>();
        QVERIFY(old.turns[0].state == TurnState::Stopped);
        QCOMPARE(old.turns[0].answer, QStringLiteral("old"));
    }

    void renamingIsKept()
    {
        Desk desk(m_file);
        QVERIFY(desk.load());
        desk.conversation.ask(QStringLiteral("?"), {});
        QVERIFY(desk.idle());
        desk.conversation.rename(QStringLiteral("  Liver\n case "));
        QVERIFY(desk.stored());
        QCOMPARE(desk.conversation.session().title, QStringLiteral("Liver case"));
        desk.conversation.ask(QStringLiteral("more"), {});
        QVERIFY(desk.idle());
        desk.writer.list(QStringLiteral("liver"));
        QSignalSpy listed(&desk.writer, &ui::SessionWriter::listed);
        QVERIFY(listed.wait());
        QCOMPARE(listed[0][0].value<QList<ui::SessionSummary>>().size(), 1);
    }

    void picturesOfAReopenedSessionAreReadAgain()
    {
        const QString file = m_folder->filePath(QStringLiteral("picture.png"));
        QImage pixels = plain(50, 40, Qt::red);
        pixels.setPixel(12, 13, qRgb(1, 2, 3));
        QVERIFY(pixels.save(file));
        {
            Desk desk(m_file);
            QVERIFY(desk.load());
            desk.conversation.ask(QStringLiteral("one"),
                                  {attached(file, pixels, QRect(10, 10, 20, 20)),
                                   attached({}, plain(8, 8, Qt::blue))});
            QVERIFY(desk.idle());
        }
        Desk desk(m_file);
        QVERIFY(desk.load());
        const ui::Session stored = ui::SessionStore(m_file).load(1);
        desk.conversation.show(stored);
        desk.conversation.ask(QStringLiteral("two"), {});
        QVERIFY(desk.conversation.isBusy());
        QVERIFY(desk.idle());
        QVERIFY2(desk.last().state == TurnState::Done, qPrintable(desk.last().error));
        const auto message = desk.model->requests()[0].messages[0];
        QCOMPARE(message.images[0].width, 20);
        QCOMPARE(int(message.images[0].row(3)[2 * 3 + 1]), 2);
        QCOMPARE(message.images[1].width, 8);  // was pasted, lives in the store

        QVERIFY(QFile::remove(file));
        desk.conversation.ask(QStringLiteral("three"), {});  // known by now
        QVERIFY(desk.idle());
        QVERIFY(desk.last().state == TurnState::Done);
        desk.conversation.show(stored);
        desk.conversation.ask(QStringLiteral("four"), {});
        QVERIFY(desk.idle());
        QVERIFY(desk.last().state == TurnState::Failed);
        QVERIFY2(desk.last().error.contains(QStringLiteral("picture.png is no longer there")),
                 qPrintable(desk.last().error));
    }

    void stoppingWhilePicturesAreReadEndsTheTurn()
    {
        Desk desk(m_file);
        QVERIFY(desk.load());
        ui::Session session;
        Turn turn;
        turn.question = QStringLiteral("?");
        turn.answer = QStringLiteral("!");
        turn.state = TurnState::Done;
        turn.attachments << ui::makeAttachment(
            attached(QStringLiteral("/not/there.png"), plain(8, 8, Qt::red)));
        session.turns << turn;
        desk.conversation.show(session);
        desk.conversation.ask(QStringLiteral("two"), {});
        desk.conversation.stop();
        QVERIFY(!desk.conversation.isBusy());
        QTest::qWait(50);
        QVERIFY(desk.last().state == TurnState::Stopped);
        QCOMPARE(int(desk.model->requests().size()), 0);
    }

    void closingWhileAnsweringKeepsTheAnswerSoFar()
    {
        {
            Desk desk(m_file);
            QVERIFY(desk.load());
            desk.model->script = [](const auto&) {
                test::Script script = test::says({}, "so far");
                script.untilStopped = true;
                return script;
            };
            QSignalSpy answer(&desk.conversation, &Conversation::answerGrew);
            desk.conversation.ask(QStringLiteral("?"), {});
            QVERIFY(answer.wait());
        }
        const ui::Session loaded = ui::SessionStore(m_file).load(1);
        QCOMPARE(loaded.turns[0].answer, QStringLiteral("so far"));
        QVERIFY(loaded.turns[0].state == TurnState::Stopped);
    }

    /// A child streams an answer, tells each piece with the time, and is killed.
    void aKilledProgramLosesAtMostASecond()
    {
        QProcess child;
        child.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--stream"), m_file});
        QVERIFY(child.waitForStarted());
        QVERIFY(child.waitForReadyRead(20'000));
        QTest::qWait(2600);
        ::kill(pid_t(child.processId()), SIGKILL);
        const qint64 killed = QDateTime::currentMSecsSinceEpoch();
        QVERIFY(child.waitForFinished());
        QString told, owed;  // all that was shown; what was shown a second before the end
        for (const QByteArray& line : child.readAllStandardOutput().split('\n')) {
            const qsizetype space = line.indexOf(' ');
            if (space > 0) {
                told += QString::fromUtf8(line.mid(space + 1));
                if (line.left(space).toLongLong() <= killed - 1000) {
                    owed = told;
                }
            }
        }
        QVERIFY2(owed.size() > 100, qPrintable(owed));
        const ui::Session loaded = ui::SessionStore(m_file).load(1);
        QCOMPARE(loaded.title, QStringLiteral("Count."));
        QVERIFY(loaded.turns[0].state == TurnState::Stopped);
        const QString kept = loaded.turns[0].answer;
        qInfo("shown %d characters, owed %d, kept %d", int(told.size()), int(owed.size()),
              int(kept.size()));
        QVERIFY(told.startsWith(kept));
        QVERIFY(kept.size() >= owed.size());
    }
};

/// The child of aKilledProgramLosesAtMostASecond.
static int stream(const QString& file)
{
    Desk desk(file);
    desk.model->script = [](const auto&) {
        test::Script script;
        for (int i = 0; i < 10'000; ++i) {
            script.pieces.emplace_back(Channel::Answer, std::to_string(i) + ",");
        }
        script.delay = std::chrono::milliseconds(5);
        return script;
    };
    QObject::connect(&desk.conversation, &Conversation::answerGrew, &desk.conversation,
                     [](int, const QString& piece) {
                         std::printf("%lld %s\n",
                                     static_cast<long long>(QDateTime::currentMSecsSinceEpoch()),
                                     qPrintable(piece));
                         std::fflush(stdout);
                     });
    desk.engine.load({});
    desk.conversation.ask(QStringLiteral("Count."), {});
    return QCoreApplication::exec();
}

#ifdef __SANITIZE_THREAD__
/// The child is another program at once; threads that start after it are no danger.
extern "C" const char* __tsan_default_options()
{
    return "die_after_fork=0";
}
#endif

int main(int argc, char** argv)
{
    QGuiApplication application(argc, argv);
    if (argc == 3 && qstrcmp(argv[1], "--stream") == 0) {
        return stream(QString::fromLocal8Bit(argv[2]));
    }
    ConversationTest test;
    return QTest::qExec(&test, argc, argv);
}

#include "conversation_test.moc"
