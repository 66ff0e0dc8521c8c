#pragma once

#include "ui/model/error.h"

#include <QPointer>
#include <QString>

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace ui {

/// Runs `work` on the pool. Any thread.
void runOnPool(std::function<void()> work);
/// For jobs: runs `call` on the GUI thread, from its event loop, in the order of the calls; drops
/// it where the application has ended.
void runOnGui(std::function<void()> call);

/// What a job on the pool came to: a value, or the sentence that says why not.
template <typename T>
struct PoolResult {
    std::optional<T> value;
    QString failure;
};

/// Runs `job` on the pool and `done(PoolResult)` on the GUI thread, unless `context` is gone by
/// then.
template <typename Job, typename Done>
void runOnPool(QObject* context, Job job, Done done)
{
    using Result = PoolResult<std::invoke_result_t<Job>>;
    runOnPool([context = QPointer<QObject>(context), job = std::move(job), done = std::move(done)] {
        auto result = std::make_shared<Result>();
        try {
            result->value = job();
        } catch (const std::exception& error) {
            result->failure = QString::fromUtf8(error.what());
        }
        runOnGui([context, done, result] {
            if (context) {
                done(*result);
            }
        });
    });
}

}  // namespace ui
