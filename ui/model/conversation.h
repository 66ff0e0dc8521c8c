#pragma once

#include "ui/model/engine_thread.h"
#include "ui/model/session.h"

#include <QObject>

#include <memory>

namespace ui {

class SessionWriter;

/// How the next question is asked.
struct AskOptions {
    inference::SystemPrompt system;
    inference::SamplingOptions sampling;
    int maxTiles = 12;
    int maxNewTokens = 1024;
};

/// A frame to be sent with a question.
struct AttachedFrame {
    Frame frame;
    FrameOptions options;
    QRect region;  // pixels of frame.pixels; null: all
    QString title;
};

/// The open session: asks the engine, gathers the stream, keeps every turn in the store. GUI
/// thread; the chat panel shows what it says and holds no state of its own.
class Conversation : public QObject {
    Q_OBJECT
public:
    Conversation(EngineThread& engine, SessionWriter& writer, QObject* parent = nullptr);
    ~Conversation() override;

    const Session& session() const { return m_session; }
    const AskOptions& options() const { return m_options; }
    void setOptions(const AskOptions& options);
    bool isBusy() const { return m_request != 0; }

    /// A fresh, empty session; a running answer is stopped first.
    void startNew();
    /// Shows a stored session; pictures of its turns are read again when the next question needs
    /// them.
    void show(const Session& session);
    void rename(const QString& title);

    /// An answer that is still running is stopped first. An empty question is not asked.
    /// Pictures that earlier turns hold already are not sent twice. Answers with turnAdded, then
    /// thinkingGrew / answerGrew, then turnChanged at the end (see Turn::state).
    void ask(const QString& question, const QList<AttachedFrame>& frames);
    /// The request that ask() would make, its pictures by their sizes only: enough to be counted.
    /// Reads nothing.
    inference::Request pending(const QString& question, const QList<AttachedFrame>& frames) const;
    /// Asks the last question again; its turn is replaced. With a temperature and the seed of the
    /// turn before, the next seed is taken, in options() too.
    void regenerate();
    void stop();

Q_SIGNALS:
    void sessionChanged();  // another session, or its title
    void turnAdded(int row);
    void thinkingGrew(int row, const QString& piece);
    void answerGrew(int row, const QString& piece);
    void turnChanged(int row);  // state, boxes, final texts
    void turnRemoved(int row);
    void busyChanged(bool busy);

private:
    int row() const;  // of the running turn, the last one
    void start(Turn turn, const AskOptions& options);
    void send(const AskOptions& options);
    void takePiece(quint64 id, inference::Channel channel, const QString& text);
    void endThinking(Turn& turn);
    void finish(const std::function<void(Turn&)>& fill);
    void fail(const QString& sentence);
    void abandon();  // the running turn is stopped with what there is, at once
    void save();
    void setRequest(quint64 request);

    struct Private;
    std::unique_ptr<Private> d;
    EngineThread& m_engine;
    SessionWriter& m_writer;
    Session m_session;
    AskOptions m_options;
    quint64 m_request = 0;
};

}  // namespace ui
