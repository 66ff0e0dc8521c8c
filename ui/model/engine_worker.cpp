#include "ui/model/engine_worker.h"

#include "inference/error.h"

#include <QElapsedTimer>

#include <new>
#include <string>

namespace ui {
namespace {

constexpr qint64 signalInterval = 34;  // ms: at most 30 signals a second

/// What a user is told of the exception in flight.
QString sentenceOfCurrentException(const QString& doing)
{
    try {
        throw;
    } catch (const inference::Error& error) {
        return QString::fromUtf8(error.what());
    } catch (const std::bad_alloc&) {
        return QStringLiteral("There was not enough memory while %1.").arg(doing);
    } catch (const std::exception& error) {
        return QStringLiteral("An unexpected error came up while %1: %2")
            .arg(doing, QString::fromUtf8(error.what()));
    } catch (...) {
        return QStringLiteral("An error of unknown kind came up while %1.").arg(doing);
    }
}

/// Gathers pieces, so that a fast model cannot flood the window's event loop.
class Gatherer {
public:
    Gatherer(EngineWorker& worker, quint64 id)
        : m_worker(worker)
        , m_id(id)
    {
    }

    void add(const inference::Piece& piece)
    {
        if (piece.channel != m_channel) {
            flush();
            m_channel = piece.channel;
        }
        m_text += piece.text;
        (m_channel == inference::Channel::Thinking ? m_thinking : m_answer) += piece.text;
        if (!m_sinceSignal.isValid() || m_sinceSignal.elapsed() >= signalInterval) {
            flush();
        }
    }

    void flush()
    {
        if (!m_text.empty()) {
            Q_EMIT m_worker.pieceReady(m_id, m_channel, QString::fromStdString(m_text));
            m_text.clear();
            m_sinceSignal.start();
        }
    }

    /// For an engine that threw Cancelled instead of answering.
    inference::Answer cancelled() const
    {
        inference::Answer answer;
        answer.thinking = m_thinking;
        answer.answer = m_answer;
        answer.stop = inference::StopReason::Cancelled;
        return answer;
    }

private:
    EngineWorker& m_worker;
    const quint64 m_id;
    inference::Channel m_channel = inference::Channel::Answer;
    std::string m_text, m_thinking, m_answer;
    QElapsedTimer m_sinceSignal;
};

}  // namespace

EngineWorker::EngineWorker(EngineFactory factory, EngineVerifier verifier)
    : m_factory(std::move(factory))
    , m_verifier(std::move(verifier))
{
}

void EngineWorker::load(quint64 loadId, const inference::LoadOptions& options,
                        const std::stop_token& stop)
{
    m_engine.reset();  // first: two models may not fit side by side
    if (stop.stop_requested()) {
        Q_EMIT loadFailed(loadId, {});
        return;
    }
    QElapsedTimer sinceSignal;
    const auto onProgress = [&](std::int64_t done, std::int64_t total) {
        if (!sinceSignal.isValid() || sinceSignal.elapsed() >= signalInterval || done == total) {
            sinceSignal.start();
            Q_EMIT loadProgress(loadId, done, total);
        }
    };
    try {
        std::unique_ptr<inference::Engine> engine = m_factory(options, onProgress, stop);
        if (stop.stop_requested()) {
            engine.reset();
            Q_EMIT loadFailed(loadId, {});
            return;
        }
        if (!engine) {
            Q_EMIT loadFailed(loadId, QStringLiteral("Loading ended without a model."));
            return;
        }
        m_engine = std::move(engine);
        Q_EMIT loaded(loadId, m_engine->info());
    } catch (const inference::Cancelled&) {
        Q_EMIT loadFailed(loadId, {});
    } catch (...) {
        Q_EMIT loadFailed(loadId,
                          sentenceOfCurrentException(QStringLiteral("the model was loading")));
    }
}

void EngineWorker::unload()
{
    m_engine.reset();
}

inference::Engine& EngineWorker::engine() const
{
    if (!m_engine) {
        throw inference::Error("No model is loaded; choose a checkpoint folder first.");
    }
    return *m_engine;
}

void EngineWorker::ask(quint64 id, const inference::Request& request, const std::stop_token& stop)
{
    Gatherer gatherer(*this, id);
    try {
        if (stop.stop_requested()) {
            throw inference::Cancelled();
        }
        const inference::Answer answer = engine().generate(
            request, [&](const inference::Piece& piece) { gatherer.add(piece); }, stop);
        gatherer.flush();
        Q_EMIT answered(id, answer);
    } catch (const inference::Cancelled&) {
        gatherer.flush();
        Q_EMIT answered(id, gatherer.cancelled());
    } catch (...) {
        gatherer.flush();
        Q_EMIT failed(id, sentenceOfCurrentException(QStringLiteral("the model was answering")));
    }
}

void EngineWorker::verify(const std::stop_token& stop)
{
    try {
        if (stop.stop_requested()) {
            throw inference::Cancelled();
        }
        inference::VerifyProgress progress;
        progress.began = [this](const inference::VerifyCheck& check, int index, int total) {
            Q_EMIT checkBegan(check, index, total);
        };
        progress.ended = [this](const inference::VerifyCheck& check, int index, int total) {
            Q_EMIT checkEnded(check, index, total);
        };
        Q_EMIT verified(m_verifier(engine(), progress, stop));
    } catch (const inference::Cancelled&) {
        Q_EMIT verifyFailed({});
    } catch (...) {
        Q_EMIT verifyFailed(
            sentenceOfCurrentException(QStringLiteral("the engine was being verified")));
    }
}

void EngineWorker::count(quint64 id, const inference::Request& request)
{
    try {
        Q_EMIT counted(id, engine().contextUse(request));
    } catch (...) {
        Q_EMIT countFailed(
            id, sentenceOfCurrentException(QStringLiteral("the question was being counted")));
    }
}

}  // namespace ui
