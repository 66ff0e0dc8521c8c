#pragma once

#include "ui/model/engine_thread.h"
#include "ui/model/mailbox.h"

namespace ui {

/// Lives on the engine's thread and blocks there. Only EngineThread knows it. Its signals are sent
/// on the engine's thread and only ever connected directly.
class EngineWorker : public QObject {
    Q_OBJECT
public:
    EngineWorker(EngineFactory factory, EngineVerifier verifier);

    Mailbox& inbox() { return m_inbox; }

    // Through the inbox only:
    void load(quint64 loadId, const inference::LoadOptions& options, const std::stop_token& stop);
    void unload();
    void ask(quint64 id, const inference::Request& request, const std::stop_token& stop);
    void verify(const std::stop_token& stop);
    void count(quint64 id, const inference::Request& request);

Q_SIGNALS:
    void loadProgress(quint64 loadId, qint64 done, qint64 total);
    void loaded(quint64 loadId, const inference::ModelInfo& info);
    /// An empty sentence: it was cancelled.
    void loadFailed(quint64 loadId, const QString& sentence);
    void pieceReady(quint64 id, inference::Channel channel, const QString& text);
    void answered(quint64 id, const inference::Answer& answer);
    void failed(quint64 id, const QString& sentence);
    void checkBegan(const inference::VerifyCheck& check, int index, int total);
    void checkEnded(const inference::VerifyCheck& check, int index, int total);
    void verified(const inference::VerifyReport& report);
    /// An empty sentence: it was stopped.
    void verifyFailed(const QString& sentence);
    void counted(quint64 id, const inference::ContextUse& use);
    void countFailed(quint64 id, const QString& sentence);

private:
    inference::Engine& engine() const;  // throws Error where there is none

    Mailbox m_inbox{this};
    EngineFactory m_factory;
    EngineVerifier m_verifier;
    std::unique_ptr<inference::Engine> m_engine;
};

}  // namespace ui
