#pragma once

#include "ui/model/error.h"

#include <QFutureWatcher>
#include <QString>
#include <QtConcurrent>

#include <optional>
#include <type_traits>
#include <utility>

namespace ui {

/// What a job on the pool came to: a value, or the sentence that says why not.
template <typename T>
struct PoolResult {
    std::optional<T> value;
    QString failure;
};

/// Runs `job` on the pool and `done(PoolResult)` on this thread, unless `context` is gone by then.
template <typename Job, typename Done>
void runOnPool(QObject* context, Job job, Done done)
{
    using Value = std::invoke_result_t<Job>;
    using Result = PoolResult<Value>;
    auto* watcher = new QFutureWatcher<Result>(context);
    QObject::connect(watcher, &QFutureWatcherBase::finished, context, [watcher, done] {
        done(watcher->result());
        watcher->deleteLater();
    });
    watcher->setFuture(QtConcurrent::run([job]() -> Result {
        try {
            return {job(), {}};
        } catch (const std::exception& error) {
            return {std::nullopt, QString::fromUtf8(error.what())};
        }
    }));
}

}  // namespace ui
