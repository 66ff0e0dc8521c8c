#include "ui/model/error.h"
#include "ui/model/session_store.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <sqlite3.h>

#include <csignal>
#include <cstdio>
#include <thread>

using ui::Session;
using ui::SessionStore;
using ui::Turn;
using ui::TurnState;

namespace {

QDateTime at(int seconds)
{
    return QDateTime::fromMSecsSinceEpoch(1'790'000'000'000 + seconds * 1000LL);
}

QImage picture(int width, int height)
{
    QImage image(width, height, QImage::Format_RGB888);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            image.setPixel(x, y, qRgb(x, y, x ^ y));
        }
    }
    return image;
}

/// A turn with every field set to something that is not its default.
Turn fullTurn()
{
    Turn turn;
    turn.asked = at(10);
    turn.question = QStringLiteral("Wo ist der Polyp? 病灶在哪里？ <b>&\"'");
    turn.thinking = QStringLiteral("Überlegung\nüber zwei Zeilen");
    turn.answer = QStringLiteral("polyp[[1, 2, 3, 4]] — 左");
    turn.text = QStringLiteral("<think>Überlegung</think>\npolyp[[1, 2, 3, 4]]");
    turn.thinkingSeconds = 12.25;
    turn.state = TurnState::TokenLimit;
    turn.error = QStringLiteral("none");
    turn.boxes << ui::AnswerBox{QStringLiteral("polyp"), 1, QRectF(1.5, 2.25, 30, 40.125)}
               << ui::AnswerBox{QString(), 0, QRectF(0, 0, 1, 1)};

    ui::Attachment one;
    one.frame = {QStringLiteral("/data/über/CT.dcm"), 12, QStringLiteral("1.2.840.1")};
    one.options.window = ui::WindowLevel{40.5, 400};
    one.options.inverted = true;
    one.options.asShown = true;
    one.region = QRect(3, 4, 20, 10);
    one.frameSize = QSize(64, 48);
    one.title = QStringLiteral("CT.dcm · slice 13");
    one.window = QStringLiteral("C 40.5 W 400");
    one.thumbnail = picture(20, 10);
    one.gridColumns = 2;
    one.gridRows = 1;
    one.tiles = 3;
    one.tokens = 768;
    ui::Attachment pasted;
    pasted.frameSize = QSize(64, 48);
    pasted.title = QStringLiteral("Pasted picture");
    pasted.thumbnail = picture(20, 15);
    pasted.picture = picture(64, 48);
    turn.attachments << one << pasted;

    ui::Provenance& from = turn.provenance;
    from.modelName = QStringLiteral("KVL");
    from.modelHash = QStringLiteral("abc123");
    from.device = QStringLiteral("cuda:0");
    from.dtype = QStringLiteral("bf16");
    from.program = QStringLiteral("KVL Workbench 0.1.0");
    from.systemPreset = QStringLiteral("own");
    from.systemText = QStringLiteral("你是书生·万象");
    from.maxTiles = 6;
    from.maxNewTokens = 99;
    from.topK = 7;
    from.temperature = 0.6;
    from.topP = 0.95;
    from.seed = 0xffff'ffff'ffff'fff1ULL;  // does not fit a signed 64-bit number
    from.promptIds = {151644, 0, -1, 2147483647};
    from.promptIds += QList<int>(3328, 151671);
    from.newIds = {1, 151645};
    from.cachedTokens = 5;
    from.visionSeconds = 0.125;
    from.prefillSeconds = 1.5;
    from.decodeSeconds = 2.75;
    from.firstTokenSeconds = 1.75;
    from.demonstration = true;
    from.adapterHash = QStringLiteral("def456");
    return turn;
}

Turn shortTurn(const QString& question, int second)
{
    Turn turn;
    turn.asked = at(second);
    turn.question = question;
    turn.answer = QStringLiteral("Answer to ") + question;
    turn.state = TurnState::Done;
    return turn;
}

Session session(const QString& title, const QList<Turn>& turns, int second = 0)
{
    Session one;
    one.title = title;
    one.created = at(0);
    one.updated = at(second);
    one.turns = turns;
    return one;
}

QByteArray contents(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// Runs `sql` on the file without the store.
qint64 raw(const QString& file, const char* sql)
{
    sqlite3* db = nullptr;
    qint64 value = -1;
    if (sqlite3_open(file.toUtf8().constData(), &db) == SQLITE_OK) {
        sqlite3_exec(
            db, sql,
            [](void* out, int, char** columns, char**) {
                *static_cast<qint64*>(out) = QByteArray(columns[0]).toLongLong();
                return 0;
            },
            &value, nullptr);
    }
    sqlite3_close(db);
    return value;
}

QString thrownBy(const std::function<void()>& run)
{
    try {
        run();
    } catch (const ui::Error& error) {
        return error.sentence();
    }
    return {};
}

}  // namespace

class SessionStoreTest : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> m_folder;
    QString m_file;

private Q_SLOTS:
    void init()
    {
        m_folder = std::make_unique<QTemporaryDir>();
        m_file = m_folder->filePath(QStringLiteral("below/sessions.db"));
    }

    void everyFieldComesBack()
    {
        Session saved = session(QStringLiteral("Titel · 标题"),
                                {fullTurn(), shortTurn(QStringLiteral("?"), 20)}, 5);
        {
            SessionStore store(m_file);
            store.save(saved);
            QVERIFY(saved.id != 0 && saved.turns[0].id != 0 && saved.turns[1].id != 0);
        }
        const Session loaded = SessionStore(m_file).load(saved.id);
        QCOMPARE(loaded.title, saved.title);
        QCOMPARE(loaded.created, saved.created);
        QCOMPARE(loaded.updated, saved.updated);
        QCOMPARE(loaded.turns.size(), 2);
        const Turn& found = loaded.turns[0];
        const Turn& expected = saved.turns[0];
        // field by field first, so that a failure names it
        QCOMPARE(found.question, expected.question);
        QCOMPARE(found.text, expected.text);
        QCOMPARE(found.provenance.seed, expected.provenance.seed);
        QCOMPARE(found.provenance.promptIds, expected.provenance.promptIds);
        QCOMPARE(found.attachments[0].thumbnail, expected.attachments[0].thumbnail);
        QCOMPARE(found.attachments[1].picture, expected.attachments[1].picture);
        QVERIFY(found.attachments[1].region.isNull() && !found.attachments[1].options.window);
        QVERIFY(found.provenance == expected.provenance);
        QVERIFY(found.attachments == expected.attachments);
        QVERIFY(found.boxes == expected.boxes);
        QVERIFY(loaded.turns == saved.turns);
    }

    void idsAreStoredCompactly()
    {
        Session one = session(QStringLiteral("x"), {fullTurn()});
        SessionStore(m_file).save(one);
        const qint64 bytes = raw(m_file, "SELECT length(prompt_ids) FROM turns");
        QVERIFY2(bytes > 0 && bytes < 200, qPrintable(QString::number(bytes)));  // 3,332 ids
    }

    void aSavedTurnIsUpdatedInPlace()
    {
        SessionStore store(m_file);
        Session one =
            session(QStringLiteral("x"), {shortTurn(QStringLiteral("first"), 1), fullTurn()});
        store.save(one);
        const qint64 id = one.turns[1].id;
        one.turns[1].answer += QStringLiteral(" and more");
        one.turns[1].boxes.removeLast();
        one.turns[1].attachments.removeLast();
        store.save(one);
        QCOMPARE(one.turns[1].id, id);
        QVERIFY(store.load(one.id).turns == one.turns);
        QCOMPARE(store.list().first().turns, 2);
    }

    void aReplacedTurnTakesThePlaceOfTheOldOne()
    {
        SessionStore store(m_file);
        Session one = session(QStringLiteral("x"), {shortTurn(QStringLiteral("a"), 1), fullTurn()});
        store.save(one);
        one.turns[1] = shortTurn(QStringLiteral("b"), 2);
        store.save(one);
        const Session loaded = store.load(one.id);
        QCOMPARE(loaded.turns.size(), 2);
        QVERIFY(loaded.turns == one.turns);
        QVERIFY(loaded.turns[1].attachments.isEmpty() && loaded.turns[1].boxes.isEmpty());
    }

    void turnsThatAreGoneFromTheSessionLeaveTheStore()
    {
        SessionStore store(m_file);
        Session one = session(QStringLiteral("x"),
                              {fullTurn(), shortTurn(QStringLiteral("b"), 2), fullTurn()});
        store.save(one);
        one.turns.removeFirst();
        store.save(one);
        QVERIFY(store.load(one.id).turns == one.turns);
        QCOMPARE(raw(m_file, "SELECT count(*) FROM attachments"), 2);
        store.removeTurn(one.turns[0].id);
        QCOMPARE(store.load(one.id).turns.size(), 1);
        one.turns.removeFirst();
        store.save(one);
        QVERIFY(store.load(one.id).turns == one.turns);
    }

    void removingASessionRemovesAllOfIt()
    {
        SessionStore store(m_file);
        Session one = session(QStringLiteral("x"), {fullTurn()});
        store.save(one);
        store.remove(one.id);
        QVERIFY(store.list().isEmpty());
        QCOMPARE(raw(m_file,
                     "SELECT (SELECT count(*) FROM turns) + (SELECT count(*) FROM attachments)"
                     " + (SELECT count(*) FROM boxes)"),
                 0);
        QVERIFY(thrownBy([&] {
                    store.load(one.id);
                }).contains(QStringLiteral("no longer in the store")));
        store.save(one);  // a session that is still open comes back whole
        QVERIFY(store.load(one.id).turns == one.turns);
    }

    void theListHasTheLatestFirst()
    {
        SessionStore store(m_file);
        Session older = session(QStringLiteral("older"), {}, 1);
        Session newer = session(QStringLiteral("newer"), {shortTurn(QStringLiteral("?"), 1)}, 2);
        store.save(newer);
        store.save(older);
        const auto list = store.list();
        QCOMPARE(list.size(), 2);
        QCOMPARE(list[0].title, QStringLiteral("newer"));
        QCOMPARE(list[0].turns, 1);
        QCOMPARE(list[0].updated, newer.updated);
        QCOMPARE(list[1].title, QStringLiteral("older"));
    }

    void searchFindsEveryWordInAnyCaseAndScript_data()
    {
        QTest::addColumn<QString>("words");
        QTest::addColumn<bool>("found");
        QTest::newRow("title") << "TITEL" << true;
        QTest::newRow("umlaut in another case") << "LÄNGE" << true;
        QTest::newRow("words in several places") << "größe polyp" << true;
        QTest::newRow("chinese, inside a run") << "灶在" << true;
        QTest::newRow("one word is missing") << "polyp lunge" << false;
        QTest::newRow("wildcards are plain") << "p%p" << false;
        QTest::newRow("quotes are plain") << "'; DROP TABLE turns; --" << false;
        QTest::newRow("nothing asked finds all") << "   " << true;
    }
    void searchFindsEveryWordInAnyCaseAndScript()
    {
        QFETCH(QString, words);
        QFETCH(bool, found);
        SessionStore store(m_file);
        Turn turn = shortTurn(QStringLiteral("Welche Länge und Größe hat der Polyp?"), 1);
        turn.answer = QStringLiteral("病灶在哪里");
        Session one = session(QStringLiteral("Titel"), {turn});
        store.save(one);
        QCOMPARE(store.search(words).size(), found ? 1 : 0);
    }

    void twoProgramsInOneSessionLoseNoTurn()
    {
        SessionStore one(m_file), other(m_file);
        Session mine = session(QStringLiteral("Shared"), {shortTurn(QStringLiteral("first"), 1)});
        one.save(mine);
        Session theirs = other.load(mine.id);
        mine.turns << shortTurn(QStringLiteral("mine"), 2);
        one.save(mine);
        theirs.turns << shortTurn(QStringLiteral("theirs"), 3);
        other.save(theirs);
        QVERIFY(theirs.id != mine.id);
        theirs.turns << shortTurn(QStringLiteral("theirs again"), 4);
        const qint64 id = theirs.id;
        other.save(theirs);
        QCOMPARE(theirs.id, id);  // once is enough
        mine.turns << shortTurn(QStringLiteral("mine again"), 5);
        one.save(mine);
        const auto questions = [&](qint64 session) {
            QStringList all;
            for (const Turn& turn : SessionStore(m_file).load(session).turns) {
                all << turn.question;
            }
            return all.join(QStringLiteral(", "));
        };
        QCOMPARE(questions(mine.id), QStringLiteral("first, mine, mine again"));
        QCOMPARE(questions(theirs.id), QStringLiteral("first, theirs, theirs again"));
    }

    void aRunningTurnIsAStoppedOneWhenTheStoreIsOpenedAgain()
    {
        Turn turn = shortTurn(QStringLiteral("?"), 1);
        turn.state = TurnState::Running;
        Session one = session(QStringLiteral("x"), {turn});
        SessionStore(m_file).save(one);
        const Session loaded = SessionStore(m_file).load(one.id);
        QVERIFY(loaded.turns[0].state == TurnState::Stopped);
        QCOMPARE(loaded.turns[0].answer, turn.answer);
    }

    void aStoreOfTheFirstSchemaIsOpenedAndItsTurnsHadNoAdapter()
    {
        const QByteArray first = contents(QStringLiteral(":/schema/001.sql"));
        QVERIFY(!first.isEmpty() && !first.contains("adapter_hash"));
        QVERIFY(QDir().mkpath(QFileInfo(m_file).path()));
        const QByteArray rest =
            "INSERT INTO sessions VALUES (1, 'old', 0, 0);"
            "INSERT INTO turns VALUES (1, 1, 0, 0, 'a question', '', '', '', 0, 'done', '', 'KVL', "
            "'abc123', '', '', '', '', '', 0, 0, 0, 0, 0, 0, x'', x'', 0, 0, 0, 0, 0, 0);"
            "PRAGMA user_version = 1";
        raw(m_file, first + rest);
        QCOMPARE(raw(m_file, "SELECT count(*) FROM turns"), 1);
        SessionStore store(m_file);
        Session old = store.load(1);
        QCOMPARE(old.turns.size(), 1);
        QCOMPARE(old.turns[0].provenance.modelHash, QStringLiteral("abc123"));
        QCOMPARE(old.turns[0].provenance.adapterHash, QString());
        old.turns << fullTurn();
        store.save(old);
        QVERIFY(store.load(1).turns == old.turns);
    }

    void aNewerSchemaIsRefusedAndTheFileUntouched()
    {
        Session one = session(QStringLiteral("x"), {fullTurn()});
        SessionStore(m_file).save(one);
        raw(m_file, "PRAGMA user_version = 7");
        const QByteArray before = contents(m_file);
        const QString sentence = thrownBy([&] { SessionStore store(m_file); });
        QVERIFY2(sentence.contains(QStringLiteral("newer version")) &&
                     sentence.contains(QStringLiteral("schema 7")),
                 qPrintable(sentence));
        QCOMPARE(contents(m_file), before);
        QCOMPARE(raw(m_file, "PRAGMA user_version"), 7);
    }

    void aDatabaseOfAnotherProgramIsLeftAlone()
    {
        m_file = m_folder->filePath(QStringLiteral("other.db"));
        raw(m_file, "CREATE TABLE theirs (x)");
        const QByteArray before = contents(m_file);
        QVERIFY(thrownBy([&] {
                    SessionStore store(m_file);
                }).contains(QStringLiteral("another program")));
        QCOMPARE(contents(m_file), before);
    }

    void aDamagedFileIsSetAsideAndNothingOverwritten_data()
    {
        QTest::addColumn<bool>("header");
        QTest::newRow("no database at all") << true;
        QTest::newRow("pages overwritten") << false;
    }
    void aDamagedFileIsSetAsideAndNothingOverwritten()
    {
        QFETCH(bool, header);
        {
            SessionStore store(m_file);
            for (int i = 0; i < 20; ++i) {
                Session one = session(QStringLiteral("session %1").arg(i), {fullTurn()});
                store.save(one);
            }
        }
        QByteArray bytes = contents(m_file);
        QVERIFY(bytes.size() > 40'000);
        if (header) {
            bytes.replace(0, 100, QByteArray(100, 'x'));
        } else {
            bytes.replace(4096, 8192, QByteArray(8192, 'x'));
        }
        QFile file(m_file);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(bytes);
        file.close();
        const QString earlier = m_file + QStringLiteral(".damaged-1");
        QFile other(earlier);
        QVERIFY(other.open(QIODevice::WriteOnly));
        other.write("an earlier one");
        other.close();

        const QString sentence = thrownBy([&] { SessionStore store(m_file); });
        QVERIFY2(sentence.contains(QStringLiteral("sessions.db.damaged-2")), qPrintable(sentence));
        QCOMPARE(contents(earlier), QByteArray("an earlier one"));
        QCOMPARE(contents(m_file + QStringLiteral(".damaged-2")), bytes);
        QVERIFY(SessionStore(m_file).list().isEmpty());  // a new one works
    }

    void aFileCutAtAnyLengthGivesASentenceOrAStore()
    {
        {
            SessionStore store(m_file);
            Session one = session(QStringLiteral("x"), {fullTurn()});
            store.save(one);
        }
        const QByteArray whole = contents(m_file);
        int refused = 0;
        for (qsizetype length = 0; length < whole.size(); length += length < 200 ? 7 : 1021) {
            QFile::remove(m_file);
            QFile file(m_file);
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(whole.left(length));
            file.close();
            const QString sentence = thrownBy([&] { SessionStore(m_file).list(); });
            refused += sentence.isEmpty() ? 0 : 1;
            QVERIFY(sentence.isEmpty() || sentence.contains(QStringLiteral("damaged")));
        }
        QVERIFY(refused > 20);
    }

    void aPlaceThatCantBeWrittenGivesASentence()
    {
        QFile inTheWay(m_folder->filePath(QStringLiteral("file")));
        QVERIFY(inTheWay.open(QIODevice::WriteOnly));
        const QString sentence = thrownBy(
            [&] { SessionStore store(inTheWay.fileName() + QStringLiteral("/sessions.db")); });
        QVERIFY2(sentence.contains(QStringLiteral("can't be made")), qPrintable(sentence));
    }

    void whatSaveReturnedFromSurvivesAKill()
    {
        QProcess child;
        child.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--stream"), m_file});
        QVERIFY(child.waitForStarted());
        QByteArray out;
        while (out.count('\n') < 40) {
            QVERIFY(child.waitForReadyRead(10'000));
            out += child.readAllStandardOutput();
        }
        ::kill(pid_t(child.processId()), SIGKILL);
        QVERIFY(child.waitForFinished());
        out += child.readAllStandardOutput();
        const int promised = out.left(out.lastIndexOf('\n')).split('\n').last().toInt();
        QVERIFY(promised >= 40);

        const SessionStore store(m_file);
        const Session loaded = store.load(1);
        QVERIFY(loaded.turns.last().state == TurnState::Stopped);
        const QStringList words =
            loaded.turns.last().answer.split(QLatin1Char(' '), Qt::SkipEmptyParts);
        QVERIFY2(words.size() >= promised, qPrintable(QString::number(words.size())));
        for (int i = 0; i < words.size(); ++i) {
            QCOMPARE(words[i].toInt(), i + 1);
        }
    }

    void theWriterKeepsOrderAndTellsIds()
    {
        ui::SessionWriter writer(m_file);
        QSignalSpy saved(&writer, &ui::SessionWriter::saved);
        QSignalSpy listed(&writer, &ui::SessionWriter::listed);
        QSignalSpy loaded(&writer, &ui::SessionWriter::loaded);
        QSignalSpy failed(&writer, &ui::SessionWriter::failed);
        Session one = session(QStringLiteral("one"), {shortTurn(QStringLiteral("a"), 1)});
        writer.save(QStringLiteral("key"), one);
        writer.list();
        one.turns << shortTurn(QStringLiteral("b"), 2);
        writer.save(QStringLiteral("key"), one);  // still without an id
        writer.load(1);
        writer.remove(1);
        writer.list();
        QTRY_COMPARE(listed.size(), 2);
        QCOMPARE(saved.size(), 2);
        QCOMPARE(saved[0][0].toString(), QStringLiteral("key"));
        QCOMPARE(saved[0][1].toLongLong(), 1);
        QCOMPARE(saved[1][1].toLongLong(), 1);
        const auto turnIds = saved[1][2].value<QList<qint64>>();
        QCOMPARE(turnIds.size(), 2);
        QCOMPARE(turnIds[0], saved[0][2].value<QList<qint64>>()[0]);
        QCOMPARE(listed[0][0].value<QList<ui::SessionSummary>>().size(), 1);
        QCOMPARE(listed[0][0].value<QList<ui::SessionSummary>>()[0].turns, 1);
        QCOMPARE(loaded[0][0].value<Session>().turns.size(), 2);
        QVERIFY(listed[1][0].value<QList<ui::SessionSummary>>().isEmpty());
        QCOMPARE(failed.size(), 0);
    }

    void ofManyWaitingSavesTheLatestIsWritten()
    {
        {
            ui::SessionWriter writer(m_file);
            QSignalSpy saved(&writer, &ui::SessionWriter::saved);
            Session one = session(QStringLiteral("x"), {shortTurn(QStringLiteral("a"), 1)});
            for (int i = 0; i < 5000; ++i) {
                one.turns[0].answer = QString::number(i);
                writer.save(QStringLiteral("key"), one);
            }
            QTRY_VERIFY(saved.size() > 0);
            QTest::qWait(50);
            QVERIFY2(saved.size() < 2500, qPrintable(QString::number(saved.size())));
        }  // waits for what is left
        const SessionStore store(m_file);
        QCOMPARE(store.list().size(), 1);
        QCOMPARE(store.load(1).turns[0].answer, QStringLiteral("4999"));
    }

    void theWriterTellsOfDamageAndSavesAllTheSame()
    {
        QVERIFY(QDir().mkpath(QFileInfo(m_file).path()));
        QFile file(m_file);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QByteArray(5000, 'x'));
        file.close();
        ui::SessionWriter writer(m_file);
        QSignalSpy failed(&writer, &ui::SessionWriter::failed);
        QSignalSpy saved(&writer, &ui::SessionWriter::saved);
        writer.save(QStringLiteral("key"), session(QStringLiteral("x"), {}));
        QTRY_COMPARE(saved.size(), 1);
        QCOMPARE(failed.size(), 1);
        QVERIFY(failed[0][0].toString().contains(QStringLiteral("damaged-1")));
    }

    void theWriterTellsTheSameFailureOnce()
    {
        QFile inTheWay(m_folder->filePath(QStringLiteral("file")));
        QVERIFY(inTheWay.open(QIODevice::WriteOnly));
        ui::SessionWriter writer(inTheWay.fileName() + QStringLiteral("/sessions.db"));
        QSignalSpy failed(&writer, &ui::SessionWriter::failed);
        for (int i = 0; i < 5; ++i) {
            writer.save(QString::number(i), session(QStringLiteral("x"), {}));
        }
        QVERIFY(failed.wait());
        QTest::qWait(100);
        QCOMPARE(failed.size(), 1);
    }
};

/// The child of whatSaveReturnedFromSurvivesAKill: saves a growing answer, and tells each time.
static int stream(const QString& file)
{
    SessionStore store(file);
    Turn turn = shortTurn(QStringLiteral("count"), 1);
    turn.answer.clear();
    turn.state = TurnState::Running;
    Session one = session(QStringLiteral("x"), {turn});
    for (int i = 1; i < 100'000; ++i) {
        one.turns[0].answer += QString::number(i) + QLatin1Char(' ');
        store.save(one);
        std::printf("%d\n", i);
        std::fflush(stdout);
    }
    return 0;
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
    QCoreApplication application(argc, argv);
    if (argc == 3 && qstrcmp(argv[1], "--stream") == 0) {
        return stream(QString::fromLocal8Bit(argv[2]));
    }
    SessionStoreTest test;
    return QTest::qExec(&test, argc, argv);
}

#include "session_store_test.moc"
