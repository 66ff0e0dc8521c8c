#include "ui/model/conversation.h"

#include "ui/model/ask.h"
#include "ui/model/pool.h"
#include "ui/model/session_store.h"

#include <QElapsedTimer>
#include <QTimer>
#include <QUuid>

#include <algorithm>
#include <limits>

namespace ui {
namespace {

/// Stands for the request while earlier pictures are read again.
constexpr quint64 readingPictures = std::numeric_limits<quint64>::max();

/// Between saves of a streamed answer: with the time that writing takes, a killed program loses
/// less than a second.
constexpr int saveInterval = 800;  // ms

struct KnownPicture {
    Attachment attachment;
    inference::Image image;
};

struct ReadPictures {
    std::vector<KnownPicture> pictures;
    QString failure;
};

ReadPictures readAgain(const QList<Attachment>& attachments, const std::stop_token& stop)
{
    ReadPictures result;
    try {
        FrameReader reader(stop);
        for (const Attachment& one : attachments) {
            if (stop.stop_requested()) {
                break;
            }
            result.pictures.push_back({one, givenPicture(reader.read(one), one)});
        }
    } catch (const std::exception& error) {
        result.failure = QStringLiteral("A picture of this conversation can't be read again: %1")
                             .arg(QString::fromUtf8(error.what()));
    }
    return result;
}

/// Those that are not among `known`, each once.
QList<AttachedFrame> unknownFrames(const QList<AttachedFrame>& frames, QList<Attachment> known)
{
    QList<AttachedFrame> fresh;
    for (const AttachedFrame& frame : frames) {
        const Attachment one = nameAttachment(frame);
        const auto isSame = [&](const Attachment& other) { return samePicture(one, other); };
        if (!one.frameSize.isEmpty() && std::none_of(known.begin(), known.end(), isSame)) {
            known << one;
            fresh << frame;
        }
    }
    return fresh;
}

}  // namespace

struct Conversation::Private {
    QString key = newKey();              // names the session to the writer
    std::vector<KnownPicture> pictures;  // of this session, as they were given
    QTimer saveTimer;
    QElapsedTimer thinking;  // since the first piece of it
    bool answerBegan = false;
    std::stop_source stopReading;

    static QString newKey() { return QUuid::createUuid().toString(QUuid::WithoutBraces); }

    const KnownPicture* find(const Attachment& attachment) const
    {
        const auto found =
            std::find_if(pictures.begin(), pictures.end(), [&](const KnownPicture& one) {
                return samePicture(one.attachment, attachment);
            });
        return found == pictures.end() ? nullptr : &*found;
    }
};

Conversation::Conversation(EngineThread& engine, SessionWriter& writer, QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>())
    , m_engine(engine)
    , m_writer(writer)
{
    d->saveTimer.setSingleShot(true);
    d->saveTimer.setInterval(saveInterval);
    connect(&d->saveTimer, &QTimer::timeout, this, &Conversation::save);
    connect(&m_engine, &EngineThread::pieceReady, this, &Conversation::takePiece);
    connect(&m_engine, &EngineThread::answered, this,
            [this](quint64 id, const inference::Answer& answer) {
                if (id == m_request) {
                    finish([&](Turn& turn) {
                        takeAnswer(m_session, row(), answer);
                        if (turn.provenance.modelName.isEmpty()) {  // was still loading
                            const Provenance now = makeProvenance(m_engine.info(), m_options);
                            turn.provenance.modelName = now.modelName;
                            turn.provenance.modelHash = now.modelHash;
                            turn.provenance.adapterHash = now.adapterHash;
                            turn.provenance.device = now.device;
                            turn.provenance.dtype = now.dtype;
                            turn.provenance.demonstration = now.demonstration;
                        }
                    });
                }
            });
    connect(&m_engine, &EngineThread::failed, this, [this](quint64 id, const QString& sentence) {
        if (id == m_request) {
            fail(sentence);
        }
    });
    connect(&m_writer, &SessionWriter::saved, this,
            [this](const QString& key, qint64 sessionId, const QList<qint64>& turnIds) {
                if (key != d->key) {
                    return;
                }
                m_session.id = sessionId;
                for (int i = 0; i < std::min(turnIds.size(), m_session.turns.size()); ++i) {
                    m_session.turns[i].id = turnIds[i];
                }
            });
}

Conversation::~Conversation()
{
    const QSignalBlocker blocker(this);
    abandon();
    if (d->saveTimer.isActive()) {
        save();
    }
}

void Conversation::setOptions(const AskOptions& options)
{
    m_options = options;
}

void Conversation::startNew()
{
    show({});
}

void Conversation::show(const Session& session)
{
    abandon();
    m_session = session;
    d->key = Private::newKey();
    d->pictures.clear();
    Q_EMIT sessionChanged();
}

void Conversation::rename(const QString& title)
{
    const QString line = title.simplified();
    if (line.isEmpty() || line == m_session.title) {
        return;
    }
    m_session.title = line;
    if (!m_session.turns.isEmpty()) {  // an empty session is not worth keeping
        save();
    }
    Q_EMIT sessionChanged();
}

void Conversation::ask(const QString& question, const QList<AttachedFrame>& frames)
{
    if (question.trimmed().isEmpty()) {
        return;
    }
    abandon();
    Turn turn;
    turn.question = question.trimmed();
    for (const AttachedFrame& frame : unknownFrames(frames, m_session.attachments())) {
        const Attachment one = makeAttachment(frame);
        turn.attachments << one;
        if (!d->find(one)) {
            d->pictures.push_back({one, givenPicture(frame.frame.pixels, one)});
        }
    }
    start(turn, m_options);
}

inference::Request Conversation::pending(const QString& question,
                                         const QList<AttachedFrame>& frames) const
{
    Session session;
    session.turns = m_session.turns;
    Turn turn;
    turn.question = question.trimmed();
    for (const AttachedFrame& frame : unknownFrames(frames, m_session.attachments())) {
        turn.attachments << nameAttachment(frame);
    }
    session.turns << turn;
    std::vector<inference::Image> pictures;
    for (const Attachment& one : session.attachments()) {
        inference::Image size;
        size.width = one.given().width();
        size.height = one.given().height();
        pictures.push_back(size);
    }
    return makeRequest(session, pictures, m_options);
}

void Conversation::regenerate()
{
    if (m_session.turns.isEmpty()) {
        return;
    }
    abandon();
    const Turn old = m_session.turns.takeLast();
    Q_EMIT turnRemoved(int(m_session.turns.size()));
    Turn turn;
    turn.question = old.question;
    turn.attachments = old.attachments;
    AskOptions options = m_options;
    if (options.sampling.temperature > 0 && options.sampling.seed == old.provenance.seed) {
        ++options.sampling.seed;  // the same dice would give the same answer
        m_options.sampling.seed = options.sampling.seed;
    }
    start(turn, options);
}

void Conversation::stop()
{
    if (m_request == readingPictures) {
        abandon();
    } else if (isBusy()) {
        m_engine.cancel();  // the answer so far comes back
    }
}

int Conversation::row() const
{
    return int(m_session.turns.size()) - 1;
}

void Conversation::start(Turn turn, const AskOptions& options)
{
    turn.asked = QDateTime::currentDateTime();
    turn.state = TurnState::Running;
    turn.provenance = makeProvenance(m_engine.info(), options);
    d->thinking.invalidate();
    d->answerBegan = false;
    if (!m_session.created.isValid()) {
        m_session.created = turn.asked;
    }
    if (m_session.title.isEmpty()) {
        m_session.title = titleFromQuestion(turn.question);
        Q_EMIT sessionChanged();
    }
    m_session.turns << turn;
    save();
    Q_EMIT turnAdded(row());
    setRequest(readingPictures);

    QList<Attachment> missing;
    for (const Attachment& one : m_session.attachments()) {
        if (!d->find(one)) {
            missing << one;
        }
    }
    if (missing.isEmpty()) {
        send(options);
        return;
    }
    d->stopReading = std::stop_source();
    const std::stop_token stop = d->stopReading.get_token();
    runOnPool(
        this, [missing, stop] { return readAgain(missing, stop); },
        [this, options, stop](const PoolResult<ReadPictures>& result) {
            if (stop.stop_requested()) {
                return;  // of a question that was given up
            }
            const ReadPictures read = result.value.value_or(ReadPictures{{}, result.failure});
            d->pictures.insert(d->pictures.end(), read.pictures.begin(), read.pictures.end());
            if (!read.failure.isEmpty()) {
                fail(read.failure);
            } else {
                send(options);
            }
        });
}

void Conversation::send(const AskOptions& options)
{
    std::vector<inference::Image> pictures;
    for (const Attachment& one : m_session.attachments()) {
        pictures.push_back(d->find(one)->image);
    }
    setRequest(m_engine.ask(makeRequest(m_session, pictures, options)));
}

void Conversation::takePiece(quint64 id, inference::Channel channel, const QString& text)
{
    if (id != m_request) {
        return;
    }
    Turn& turn = m_session.turns.last();
    if (channel == inference::Channel::Thinking) {
        if (!d->thinking.isValid()) {
            d->thinking.start();
        }
        turn.thinking += text;
    } else {
        if (!d->answerBegan) {
            d->answerBegan = true;
            endThinking(turn);
        }
        turn.answer += text;
    }
    if (!d->saveTimer.isActive()) {
        d->saveTimer.start();
    }
    if (channel == inference::Channel::Thinking) {
        Q_EMIT thinkingGrew(row(), text);
    } else {
        Q_EMIT answerGrew(row(), text);
    }
}

void Conversation::endThinking(Turn& turn)
{
    if (d->thinking.isValid()) {
        turn.thinkingSeconds = double(d->thinking.elapsed()) / 1000;
    }
}

void Conversation::finish(const std::function<void(Turn&)>& fill)
{
    Turn& turn = m_session.turns.last();
    if (!d->answerBegan) {
        endThinking(turn);
    }
    fill(turn);
    save();
    const int changed = row();
    setRequest(0);
    Q_EMIT turnChanged(changed);
}

void Conversation::fail(const QString& sentence)
{
    finish([&](Turn& turn) {
        turn.state = TurnState::Failed;
        turn.error = sentence;
    });
}

void Conversation::abandon()
{
    if (!isBusy()) {
        return;
    }
    d->stopReading.request_stop();
    if (m_request != readingPictures) {
        m_engine.cancel();
    }
    finish([](Turn& turn) { turn.state = TurnState::Stopped; });
}

void Conversation::save()
{
    d->saveTimer.stop();
    m_session.updated = QDateTime::currentDateTime();
    m_writer.save(d->key, m_session);
}

void Conversation::setRequest(quint64 request)
{
    const bool wasBusy = isBusy();
    m_request = request;
    if (isBusy() != wasBusy) {
        Q_EMIT busyChanged(isBusy());
    }
}

}  // namespace ui
