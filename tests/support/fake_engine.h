#pragma once

#include "inference/engine.h"
#include "inference/error.h"
#include "inference/verify.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace test {

/// What a FakeEngine does with the next question.
struct Script {
    std::vector<std::pair<inference::Channel, std::string>> pieces;
    std::chrono::microseconds delay{0};  // before each piece
    std::string error;                   // thrown after the pieces, where not empty
    std::vector<inference::Box> boxes;
    std::vector<inference::TokenId> promptIds{1, 2, 3}, newIds{4, 5};
    std::vector<inference::ImageUse> images;
    bool tokenLimit = false;
    bool untilStopped = false;  // after the pieces, wait for a stop request
};

inline Script says(std::string thinking, std::string answer)
{
    Script script;
    if (!thinking.empty()) {
        script.pieces.emplace_back(inference::Channel::Thinking, std::move(thinking));
    }
    script.pieces.emplace_back(inference::Channel::Answer, std::move(answer));
    return script;
}

inline inference::ModelInfo fakeInfo()
{
    inference::ModelInfo info;
    info.name = "fake-1B";
    info.architecture = "InternVLChatModel";
    info.modelHash = "0123456789abcdef";
    info.tileSize = 448;
    info.tokensPerTile = 256;
    info.device = "cpu";
    info.dtype = "fp32";
    return info;
}

/// What a FakeEngine was asked, and what it is to say. Shared between the test and the engine's
/// thread.
struct FakeModel {
    std::function<Script(const inference::Request&)> script = [](const inference::Request&) {
        return says({}, "An answer.");
    };
    inference::ModelInfo info = fakeInfo();
    /// What contextUse() says; by default a token a message.
    std::function<inference::ContextUse(const inference::Request&)> use =
        [](const inference::Request& request) {
            inference::ContextUse one;
            one.question = int(request.messages.size());
            return one;
        };

    std::vector<inference::Request> requests() const
    {
        const std::lock_guard lock(m_mutex);
        return m_requests;
    }
    void add(const inference::Request& request)
    {
        const std::lock_guard lock(m_mutex);
        m_requests.push_back(request);
    }

private:
    mutable std::mutex m_mutex;
    std::vector<inference::Request> m_requests;
};

/// Stands in for weights in tests of what surrounds the engine.
class FakeEngine : public inference::Engine {
public:
    explicit FakeEngine(std::shared_ptr<FakeModel> model)
        : m_model(std::move(model))
    {
    }

    const inference::ModelInfo& info() const override { return m_model->info; }

    int promptTokens(const inference::Request& request) const override
    {
        return int(request.messages.size());
    }

    inference::ContextUse contextUse(const inference::Request& request) const override
    {
        inference::ContextUse use = m_model->use(request);
        use.newTokens = request.maxNewTokens;
        use.contextLength = info().contextLength;
        return use;
    }

    /// Every token is as likely as every other of a hundred.
    inference::Scores score(const inference::ScoreRequest& request, std::stop_token stop) override
    {
        m_model->add(request.prompt);
        if (stop.stop_requested()) {
            throw inference::Cancelled();
        }
        inference::Scores scores;
        for (const inference::Continuation& one : request.continuations) {
            inference::Score score;
            score.tokens.resize(one.ids.empty() ? one.text.size() : one.ids.size(), {1, -4.60517F});
            score.mean = -4.60517;
            score.sum = score.mean * double(score.tokens.size());
            scores.continuations.push_back(score);
        }
        return scores;
    }

    inference::Answer generate(const inference::Request& request, const inference::OnPiece& onPiece,
                               std::stop_token stop) override
    {
        m_model->add(request);
        const Script script = m_model->script(request);
        inference::Answer answer;
        answer.promptIds = script.promptIds;
        answer.newIds = script.newIds;
        answer.boxes = script.boxes;
        answer.images = script.images;
        answer.seconds = {.vision = 0.1, .prefill = 0.2, .decode = 0.3, .firstToken = 0.4};
        const auto finish = [&](inference::StopReason reason) {
            answer.stop = reason;
            answer.text = answer.thinking.empty()
                ? answer.answer
                : "<think>" + answer.thinking + "</think>\n" + answer.answer;
            return answer;
        };
        for (const auto& [channel, text] : script.pieces) {
            wait(script.delay, stop);
            if (stop.stop_requested()) {
                return finish(inference::StopReason::Cancelled);
            }
            (channel == inference::Channel::Thinking ? answer.thinking : answer.answer) += text;
            onPiece({channel, text});
        }
        if (!script.error.empty()) {
            throw inference::Error(script.error);
        }
        if (script.untilStopped) {
            wait(std::chrono::minutes(1), stop);
            return finish(inference::StopReason::Cancelled);
        }
        return finish(script.tokenLimit ? inference::StopReason::TokenLimit
                                        : inference::StopReason::EndOfTurn);
    }

private:
    static void wait(std::chrono::microseconds time, const std::stop_token& stop)
    {
        if (time.count() > 0) {
            std::mutex mutex;
            std::unique_lock lock(mutex);
            std::condition_variable_any().wait_for(lock, stop, time, [] { return false; });
        }
    }

    std::shared_ptr<FakeModel> m_model;
};

/// A ui::EngineFactory.
inline auto fakeFactory(std::shared_ptr<FakeModel> model)
{
    return [model](const inference::LoadOptions&, const inference::OnProgress& onProgress,
                   std::stop_token) -> std::unique_ptr<inference::Engine> {
        if (onProgress) {
            onProgress(50, 100);
            onProgress(100, 100);
        }
        return std::make_unique<FakeEngine>(model);
    };
}

/// What a fakeVerifier() does: so many checks, the first of them `failed`; then, where
/// `untilStopped`, one that ends with a stop request only.
struct VerifyScript {
    int checks = 3;
    bool failed = false, untilStopped = false;
    std::string program = "KVL Workbench 9";
};

/// A ui::EngineVerifier.
inline auto fakeVerifier(const VerifyScript& script)
{
    return [script](inference::Engine& engine, const inference::VerifyProgress& progress,
                    const std::stop_token& stop) {
        using State = inference::VerifyCheck::State;
        inference::VerifyReport report;
        report.model = engine.info();
        report.program = script.program;
        for (int i = 0; i < script.checks; ++i) {
            inference::VerifyCheck check;
            check.group = "tokenizer";
            check.name = "text " + std::to_string(i + 1);
            progress.began(check, i, script.checks);
            check.expected = "12 ids";
            check.found = "12 ids";
            check.state = i == 0 && script.failed ? State::Failed : State::Passed;
            check.seconds = 0.25;
            progress.ended(check, i, script.checks);
            report.checks.push_back(check);
        }
        if (script.untilStopped) {
            std::mutex mutex;
            std::unique_lock lock(mutex);
            std::condition_variable_any().wait_for(lock, stop, std::chrono::minutes(1),
                                                   [] { return false; });
            throw inference::Cancelled();
        }
        return report;
    };
}

}  // namespace test
