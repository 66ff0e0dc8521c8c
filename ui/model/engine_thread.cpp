#include "ui/model/engine_thread.h"

#include "ui/model/engine_worker.h"

namespace ui {

EngineVerifier engineVerifier()
{
    return [](inference::Engine& engine, const inference::VerifyProgress& progress,
              std::stop_token stop) {
        return inference::verify({}, &engine, progress, std::move(stop));
    };
}

EngineThread::EngineThread(EngineFactory factory, EngineVerifier verifier, QObject* parent)
    : QObject(parent)
    , m_worker(new EngineWorker(std::move(factory), std::move(verifier)))
{
    m_thread.setObjectName(QStringLiteral("engine"));
    m_worker->moveToThread(&m_thread);
    connect(&m_thread, &QThread::finished, m_worker, &QObject::deleteLater);

    // Calls `receive` on this thread with what the worker's signal carries.
    const auto whenWorker = [this](auto sends, auto receive) {
        connect(
            m_worker, sends, this,
            [this, receive](const auto&... values) {
                m_inbox.post([receive, values...] { receive(values...); });
            },
            Qt::DirectConnection);
    };
    whenWorker(&EngineWorker::loadProgress, [this](quint64 loadId, qint64 done, qint64 total) {
        if (loadId == m_load) {
            Q_EMIT loadProgress(done, total);
        }
    });
    whenWorker(&EngineWorker::loaded, [this](quint64 loadId, const inference::ModelInfo& info) {
        if (loadId == m_load) {
            setState(State::Ready, info, {});
        }
    });
    whenWorker(&EngineWorker::loadFailed, [this](quint64 loadId, const QString& sentence) {
        if (loadId == m_load) {
            setState(sentence.isEmpty() ? State::Empty : State::Failed, {}, sentence);
        }
    });
    whenWorker(&EngineWorker::pieceReady,
               [this](quint64 id, inference::Channel channel, const QString& text) {
                   if (id == m_running) {
                       Q_EMIT pieceReady(id, channel, text);
                   }
               });
    whenWorker(&EngineWorker::answered, [this](quint64 id, const inference::Answer& answer) {
        finish(id);
        Q_EMIT answered(id, answer);
    });
    whenWorker(&EngineWorker::failed, [this](quint64 id, const QString& sentence) {
        finish(id);
        Q_EMIT failed(id, sentence);
    });
    whenWorker(&EngineWorker::checkBegan,
               [this](const inference::VerifyCheck& check, int index, int total) {
                   Q_EMIT checkBegan(check, index, total);
               });
    whenWorker(&EngineWorker::checkEnded,
               [this](const inference::VerifyCheck& check, int index, int total) {
                   Q_EMIT checkEnded(check, index, total);
               });
    whenWorker(&EngineWorker::verified, [this](const inference::VerifyReport& report) {
        setVerifying(false);
        Q_EMIT verified(report);
    });
    whenWorker(&EngineWorker::verifyFailed, [this](const QString& sentence) {
        setVerifying(false);
        Q_EMIT verifyFailed(sentence);
    });
    whenWorker(&EngineWorker::counted, [this](quint64 id, const inference::ContextUse& use) {
        if (id == *m_latestCount) {
            Q_EMIT counted(id, use);
        }
    });
    whenWorker(&EngineWorker::countFailed, [this](quint64 id, const QString& sentence) {
        if (id == *m_latestCount) {
            Q_EMIT countFailed(id, sentence);
        }
    });
    m_thread.start();
}

EngineThread::~EngineThread()
{
    m_stopLoad.request_stop();
    m_stopAsk.request_stop();
    m_stopVerify.request_stop();
    m_thread.quit();
    m_thread.wait();
}

void EngineThread::load(const inference::LoadOptions& options)
{
    m_stopAsk.request_stop();
    m_stopVerify.request_stop();
    m_stopLoad.request_stop();
    m_stopLoad = std::stop_source();
    const quint64 loadId = ++m_load;
    m_worker->inbox().post([worker = m_worker, loadId, options, stop = m_stopLoad.get_token()] {
        worker->load(loadId, options, stop);
    });
    setState(State::Loading, {}, {});
}

void EngineThread::unload()
{
    m_stopAsk.request_stop();
    m_stopVerify.request_stop();
    m_stopLoad.request_stop();
    ++m_load;  // what a load under way still reports is of no interest
    m_worker->inbox().post([worker = m_worker] { worker->unload(); });
    setState(State::Empty, {}, {});
}

void EngineThread::cancelLoad()
{
    m_stopLoad.request_stop();
}

quint64 EngineThread::ask(const inference::Request& request)
{
    m_stopAsk.request_stop();
    m_stopVerify.request_stop();
    m_stopAsk = std::stop_source();
    m_running = ++m_next;
    m_worker->inbox().post([worker = m_worker, id = m_running, request,
                            stop = m_stopAsk.get_token()] { worker->ask(id, request, stop); });
    return m_running;
}

void EngineThread::cancel()
{
    m_stopAsk.request_stop();
}

void EngineThread::verify()
{
    if (m_verifying) {
        return;
    }
    m_stopVerify = std::stop_source();
    m_worker->inbox().post(
        [worker = m_worker, stop = m_stopVerify.get_token()] { worker->verify(stop); });
    setVerifying(true);
}

void EngineThread::stopVerify()
{
    m_stopVerify.request_stop();
}

quint64 EngineThread::count(const inference::Request& request)
{
    const quint64 id = ++*m_latestCount;
    m_worker->inbox().post([worker = m_worker, id, latest = m_latestCount, request] {
        if (id == *latest) {
            worker->count(id, request);
        }
    });
    return id;
}

void EngineThread::setVerifying(bool on)
{
    m_verifying = on;
    Q_EMIT verifyingChanged();
}

void EngineThread::finish(quint64 id)
{
    if (id == m_running) {
        m_running = 0;
    }
}

void EngineThread::setState(State state, const inference::ModelInfo& info, const QString& failure)
{
    m_state = state;
    m_info = info;
    m_failure = failure;
    Q_EMIT stateChanged();
}

}  // namespace ui
