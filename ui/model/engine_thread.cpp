#include "ui/model/engine_thread.h"

#include "ui/model/engine_worker.h"

namespace ui {

EngineThread::EngineThread(EngineFactory factory, QObject* parent)
    : QObject(parent)
    , m_worker(new EngineWorker(std::move(factory)))
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
    m_thread.start();
}

EngineThread::~EngineThread()
{
    m_stopLoad.request_stop();
    m_stopAsk.request_stop();
    m_thread.quit();
    m_thread.wait();
}

void EngineThread::load(const inference::LoadOptions& options)
{
    m_stopAsk.request_stop();
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
