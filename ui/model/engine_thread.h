#pragma once

#include "inference/engine.h"
#include "inference/verify.h"
#include "ui/model/mailbox.h"

#include <QObject>
#include <QString>
#include <QThread>

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>

namespace ui {

/// Makes an engine, on the engine's thread; main() hands in inference::loadEngine.
using EngineFactory = std::function<std::unique_ptr<inference::Engine>(
    const inference::LoadOptions&, const inference::OnProgress&, std::stop_token)>;

/// Holds a loaded engine against its references, on the engine's thread.
using EngineVerifier = std::function<inference::VerifyReport(
    inference::Engine&, const inference::VerifyProgress&, std::stop_token)>;

/// inference::verify().
EngineVerifier engineVerifier();

class EngineWorker;

/// The model on its own thread. All calls return at once; a cancelled answer is an answer with
/// StopReason::Cancelled; every exception becomes a `failed` sentence.
class EngineThread : public QObject {
    Q_OBJECT
public:
    explicit EngineThread(EngineFactory factory, EngineVerifier verifier = engineVerifier(),
                          QObject* parent = nullptr);
    ~EngineThread() override;

    enum class State { Empty, Loading, Ready, Failed };
    State state() const { return m_state; }
    /// Of the loaded model; default-made otherwise.
    const inference::ModelInfo& info() const { return m_info; }
    QString failure() const { return m_failure; }

    /// A running answer and a running load are cancelled first; the model before is unloaded first.
    void load(const inference::LoadOptions& options);
    void unload();
    /// Ends in State::Empty.
    void cancelLoad();
    /// Returns the request's number, which comes back with its signals: any pieces, then exactly
    /// one of answered and failed. A question that is still running is cancelled; it sends no more
    /// pieces.
    quint64 ask(const inference::Request& request);
    void cancel();
    bool isBusy() const { return m_running != 0; }

    /// Holds the loaded engine against its references, after an answer that is running: any
    /// checkBegan and checkEnded, then exactly one of verified and verifyFailed. A question, a load
    /// and an unload stop it.
    void verify();
    void stopVerify();
    bool isVerifying() const { return m_verifying; }

    /// What a request would cost, counted when the engine has nothing else to do; comes back as
    /// `counted` or `countFailed` with the number returned here. Where several wait, only the
    /// latest is counted and comes back.
    quint64 count(const inference::Request& request);

Q_SIGNALS:
    void stateChanged();
    void loadProgress(qint64 done, qint64 total);
    /// At most 30 a second, and when the channel changes.
    void pieceReady(quint64 id, inference::Channel channel, const QString& text);
    void answered(quint64 id, const inference::Answer& answer);
    void failed(quint64 id, const QString& sentence);
    void verifyingChanged();
    void checkBegan(const inference::VerifyCheck& check, int index, int total);
    void checkEnded(const inference::VerifyCheck& check, int index, int total);
    void verified(const inference::VerifyReport& report);
    /// An empty sentence: it was stopped.
    void verifyFailed(const QString& sentence);
    void counted(quint64 id, const inference::ContextUse& use);
    void countFailed(quint64 id, const QString& sentence);

private:
    void finish(quint64 id);
    void setVerifying(bool on);
    void setState(State state, const inference::ModelInfo& info, const QString& failure);

    Mailbox m_inbox;  // from the worker
    QThread m_thread;
    EngineWorker* m_worker = nullptr;
    State m_state = State::Empty;
    inference::ModelInfo m_info;
    QString m_failure;
    quint64 m_next = 0, m_running = 0, m_load = 0;
    bool m_verifying = false;
    std::shared_ptr<std::atomic<quint64>> m_latestCount = std::make_shared<std::atomic<quint64>>(0);
    std::stop_source m_stopLoad, m_stopAsk, m_stopVerify;
};

}  // namespace ui
