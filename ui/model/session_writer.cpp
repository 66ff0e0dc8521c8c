#include "ui/model/error.h"
#include "ui/model/mailbox.h"
#include "ui/model/session_store.h"

#include <QHash>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

namespace ui {
namespace {

struct Save {
    QString key;
    Session session;
};
struct Load {
    qint64 id;
};
struct List {
    QString words;
};
struct Remove {
    qint64 id;
};
using Job = std::variant<Save, Load, List, Remove>;

template <typename... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;  // clang 14 does not deduce it from an aggregate

}  // namespace

struct SessionWriter::Private {
    explicit Private(SessionWriter& writer_, const QString& file_)
        : writer(writer_)
        , file(file_)
        , thread([this] { work(); })
    {
    }

    ~Private()
    {
        {
            const std::lock_guard lock(mutex);
            ending = true;
        }
        wake.notify_one();
        thread.join();
    }

    void add(Job job)
    {
        {
            const std::lock_guard lock(mutex);
            if (auto* save = std::get_if<Save>(&job)) {
                if (Save* waiting = waitingSave(save->key)) {
                    waiting->session = std::move(save->session);
                    return;
                }
            }
            jobs.push_back(std::move(job));
        }
        wake.notify_one();
    }

    /// A save of the same key, with nothing but saves after it: putting the newer session in its
    /// place changes no order that shows.
    Save* waitingSave(const QString& key)
    {
        for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
            auto* save = std::get_if<Save>(&*job);
            if (!save) {
                return nullptr;
            }
            if (save->key == key) {
                return save;
            }
        }
        return nullptr;
    }

    void work()
    {
        attempt([this] { openStore(); });  // at once: it ends the turns that a killed program left
        while (true) {
            std::optional<Job> job;
            {
                std::unique_lock lock(mutex);
                wake.wait(lock, [this] { return ending || !jobs.empty(); });
                if (jobs.empty()) {
                    store.reset();
                    return;
                }
                job = std::move(jobs.front());
                jobs.pop_front();
            }
            attempt([&] {
                openStore();
                carryOut(*job);
                told.clear();
            });
        }
    }

    template <typename Work>
    void attempt(Work&& step)
    {
        try {
            step();
        } catch (const Error& error) {
            tell(error.sentence());
        } catch (const std::exception& error) {
            tell(QStringLiteral("The session could not be kept: %1")
                     .arg(QString::fromUtf8(error.what())));
        }
    }

    void openStore()
    {
        if (store) {
            return;
        }
        try {
            store = std::make_unique<SessionStore>(file);
        } catch (const Error& error) {
            // A damaged file is out of the way now; what is to be saved must not be lost with it.
            tell(error.sentence());
            store = std::make_unique<SessionStore>(file);
        }
    }

    void carryOut(Job& job)
    {
        std::visit(Overloaded{
                       [this](Save& save) {
                           // What the store called it last: it may have become one of its own.
                           save.session.id = ids.value(save.key, save.session.id);
                           store->save(save.session);
                           ids.insert(save.key, save.session.id);
                           QList<qint64> turnIds;
                           for (const Turn& turn : save.session.turns) {
                               turnIds << turn.id;
                           }
                           Q_EMIT writer.saved(save.key, save.session.id, turnIds);
                       },
                       [this](const Load& load) {
                           outbox.post([this, session = store->load(load.id)] {
                               Q_EMIT writer.loaded(session);
                           });
                       },
                       [this](const List& list) {
                           outbox.post([this, found = store->search(list.words)] {
                               Q_EMIT writer.listed(found);
                           });
                       },
                       [this](const Remove& remove) { store->remove(remove.id); },
                   },
                   job);
    }

    /// Once, not once a second, where each save of a streamed answer fails for the same reason.
    void tell(const QString& sentence)
    {
        if (sentence != told) {
            told = sentence;
            outbox.post([this, sentence] { Q_EMIT writer.failed(sentence); });
        }
    }

    SessionWriter& writer;
    const QString file;
    Mailbox outbox;  // on the writer's thread, for its signals
    // of the thread
    std::unique_ptr<SessionStore> store;
    QHash<QString, qint64> ids;  // of sessions whose ids did not come back yet
    QString told;
    // shared
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Job> jobs;
    bool ending = false;
    std::thread thread;
};

SessionWriter::SessionWriter(const QString& file, QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>(*this, file))
{
}

SessionWriter::~SessionWriter() = default;

void SessionWriter::save(const QString& key, const Session& session)
{
    Save job{key, session};
    job.session.turns.detach();  // a list that both threads had would be copied on the writer's
    d->add(std::move(job));
}

void SessionWriter::load(qint64 id)
{
    d->add(Load{id});
}

void SessionWriter::list(const QString& words)
{
    d->add(List{words});
}

void SessionWriter::remove(qint64 id)
{
    d->add(Remove{id});
}

}  // namespace ui
