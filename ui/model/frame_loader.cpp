#include "ui/model/frame_loader.h"

#include "ui/model/pool.h"

#include <QFileInfo>
#include <QMetaType>
#include <QPointer>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace ui {
namespace {

/// Names the types of the signals once, so that they cross threads.
void registerTypes()
{
    static const bool done = [] {
        qRegisterMetaType<FrameOptions>("ui::FrameOptions");
        qRegisterMetaType<Frame>("ui::Frame");
        qRegisterMetaType<QList<Property>>("QList<ui::Property>");
        return true;
    }();
    Q_UNUSED(done);
}

/// Runs `job` and gives its failure as a sentence; empty where it succeeded.
template <typename Job>
QString sentenceOf(Job&& job)
{
    try {
        job();
        return {};
    } catch (const Error& error) {
        return error.sentence();
    } catch (const std::bad_alloc&) {
        return QStringLiteral("There is not enough memory for this picture.");
    } catch (const std::exception& error) {
        return QString::fromUtf8(error.what());
    }
}

}  // namespace

/// Lives as long as the object or its running job, whichever is longer. All below the mutex but
/// `document`, which belongs to the one running job (`running`).
struct OpenDocument::Shared : std::enable_shared_from_this<OpenDocument::Shared> {
    struct FrameRequest {
        int index;
        FrameOptions options;
    };
    struct ThumbnailRequest {
        int index, size;
    };

    std::unique_ptr<Document> document;
    std::mutex mutex;
    OpenDocument* owner = nullptr;  // null once it is gone
    bool running = false;
    std::optional<FrameRequest> frame;  // the latest wins
    std::deque<int> properties;
    std::deque<ThumbnailRequest> thumbnails;

    /// Starts the job if there is work and none runs. With the mutex held.
    void wake()
    {
        if (running || (!frame && properties.empty() && thumbnails.empty())) {
            return;
        }
        running = true;
        runOnPool([self = shared_from_this()] { self->work(); });
    }

    /// Hands a result to the owner on its thread, unless it is gone.
    void deliver(std::function<void()> result)
    {
        const std::lock_guard lock(mutex);
        if (owner) {
            owner->m_results.post(std::move(result));
        }
    }

    void work()
    {
        for (;;) {
            std::optional<FrameRequest> wanted;
            std::optional<int> listed;
            std::optional<ThumbnailRequest> small;
            {
                const std::lock_guard lock(mutex);
                if (!owner) {
                    return;  // the last reference goes with this job
                }
                if (frame) {
                    wanted = std::exchange(frame, std::nullopt);
                } else if (!properties.empty()) {
                    listed = properties.front();
                    properties.pop_front();
                } else if (!thumbnails.empty()) {
                    small = thumbnails.front();
                    thumbnails.pop_front();
                } else {
                    running = false;
                    return;
                }
            }
            if (wanted) {
                makeFrame(*wanted);
            } else if (listed) {
                makeProperties(*listed);
            } else if (small) {
                makeThumbnail(*small);
            }
        }
    }

    void fail(int index, const QString& sentence)
    {
        deliver([this, index, sentence] { Q_EMIT owner->failed(index, sentence); });
    }

    void makeFrame(const FrameRequest& wanted)
    {
        Frame result;
        const QString sentence =
            sentenceOf([&] { result = document->frame(wanted.index, wanted.options); });
        if (!sentence.isEmpty()) {
            return fail(wanted.index, sentence);
        }
        deliver([this, wanted, result = std::move(result)] {
            Q_EMIT owner->frameReady(wanted.index, wanted.options, result);
        });
    }

    void makeProperties(int index)
    {
        QList<Property> result;
        const QString sentence = sentenceOf([&] { result = document->properties(index); });
        if (!sentence.isEmpty()) {
            return fail(index, sentence);
        }
        deliver([this, index, result] { Q_EMIT owner->propertiesReady(index, result); });
    }

    void makeThumbnail(const ThumbnailRequest& wanted)
    {
        // A list without its small picture is no failure; a null one says that there is none.
        QImage result;
        (void)sentenceOf([&] { result = document->thumbnail(wanted.index, wanted.size); });
        deliver([this, wanted, result] { Q_EMIT owner->thumbnailReady(wanted.index, result); });
    }
};

OpenDocument::OpenDocument(std::unique_ptr<Document> document, QObject* parent)
    : QObject(parent)
    , m_shared(std::make_shared<Shared>())
    , m_title(document->title())
    , m_subtitle(document->subtitle())
    , m_path(document->path())
    , m_frameNoun(document->frameNoun())
    , m_frameCount(document->frameCount())
    , m_windowPresets(document->windowPresets())
{
    registerTypes();
    m_shared->document = std::move(document);
    m_shared->owner = this;
}

OpenDocument::~OpenDocument()
{
    const std::lock_guard lock(m_shared->mutex);
    m_shared->owner = nullptr;
    m_shared->frame.reset();
    m_shared->properties.clear();
    m_shared->thumbnails.clear();
}

int OpenDocument::indexOf(const FrameRef& ref) const
{
    return m_shared->document->indexOf(ref);
}

void OpenDocument::requestFrame(int index, const FrameOptions& options)
{
    const std::lock_guard lock(m_shared->mutex);
    m_shared->frame = Shared::FrameRequest{index, options};
    m_shared->wake();
}

void OpenDocument::requestThumbnail(int index, int size)
{
    const std::lock_guard lock(m_shared->mutex);
    auto& queue = m_shared->thumbnails;
    const bool known = std::any_of(queue.begin(), queue.end(), [&](const auto& one) {
        return one.index == index && one.size == size;
    });
    if (!known) {
        queue.push_back({index, size});
        m_shared->wake();
    }
}

void OpenDocument::requestProperties(int index)
{
    const std::lock_guard lock(m_shared->mutex);
    m_shared->properties.assign(1, index);
    m_shared->wake();
}

/// As OpenDocument::Shared: what a job needs after the opener is gone.
struct DocumentOpener::Shared : std::enable_shared_from_this<DocumentOpener::Shared> {
    struct Task {
        QString path, password;
        std::stop_token stop;
    };

    std::mutex mutex;
    DocumentOpener* owner = nullptr;
    bool running = false;
    int round = 0;  // counts cancellations: a job of an earlier round only ends
    std::stop_source stop;
    std::deque<Task> tasks;

    void wake()
    {
        if (!running && !tasks.empty()) {
            running = true;
            runOnPool([self = shared_from_this(), mine = round] { self->work(mine); });
        }
    }

    /// Runs `result` on the opener's thread, unless the task was cancelled or the opener is gone.
    void deliver(const std::stop_token& token, std::function<void()> result)
    {
        const std::lock_guard lock(mutex);
        if (owner) {
            owner->m_results.post([token, result = std::move(result)] {
                if (!token.stop_requested()) {
                    result();
                }
            });
        }
    }

    void work(int mine)
    {
        for (;;) {
            Task task;
            {
                const std::lock_guard lock(mutex);
                if (!owner || mine != round) {
                    return;
                }
                if (tasks.empty()) {
                    running = false;
                    postIdle();
                    return;
                }
                task = std::move(tasks.front());
                tasks.pop_front();
            }
            deliver(task.stop, [this, path = task.path] {
                Q_EMIT owner->busyChanged(true, QFileInfo(path).fileName());
            });
            open(task);
        }
    }

    /// With the mutex held, and an owner.
    void postIdle()
    {
        owner->m_results.post([this] { Q_EMIT owner->busyChanged(false, QString()); });
    }

    void open(const Task& task)
    {
        // Shared, because an undelivered functor must still delete them.
        auto documents = std::make_shared<std::vector<std::unique_ptr<Document>>>();
        try {
            const QString sentence = sentenceOf([&] {
                try {
                    const auto onRefused = [&](const QString& text) {
                        deliver(task.stop, [this, path = task.path, text] {
                            Q_EMIT owner->failed(path, text);
                        });
                    };
                    *documents = openDocuments(task.path, {task.password, task.stop, onRefused});
                } catch (const PasswordNeeded& needed) {
                    deliver(task.stop, [this, path = task.path, text = needed.sentence()] {
                        Q_EMIT owner->passwordNeeded(path, text);
                    });
                }
            });
            if (!sentence.isEmpty()) {
                deliver(task.stop, [this, path = task.path, sentence] {
                    Q_EMIT owner->failed(path, sentence);
                });
            }
        } catch (...) {
            deliver(task.stop, [this, path = task.path] {
                Q_EMIT owner->failed(
                    path, QStringLiteral("%1 does not open: unknown failure.").arg(path));
            });
        }
        if (documents->empty()) {
            return;
        }
        deliver(task.stop, [this, documents] {
            const QPointer<DocumentOpener> alive(owner);
            for (auto& document : *documents) {
                auto* opened = new OpenDocument(std::move(document));
                Q_EMIT owner->opened(opened);
                if (!opened->parent()) {
                    opened->deleteLater();  // no one took it
                }
                if (!alive) {
                    return;
                }
            }
        });
    }
};

DocumentOpener::DocumentOpener(QObject* parent)
    : QObject(parent)
    , m_shared(std::make_shared<Shared>())
{
    registerTypes();
    m_shared->owner = this;
}

DocumentOpener::~DocumentOpener()
{
    const std::lock_guard lock(m_shared->mutex);
    m_shared->owner = nullptr;
    m_shared->tasks.clear();
    m_shared->stop.request_stop();
}

void DocumentOpener::open(const QStringList& paths)
{
    const std::lock_guard lock(m_shared->mutex);
    for (const QString& path : paths) {
        m_shared->tasks.push_back({path, {}, m_shared->stop.get_token()});
    }
    m_shared->wake();
}

void DocumentOpener::open(const QString& path, const QString& password)
{
    const std::lock_guard lock(m_shared->mutex);
    m_shared->tasks.push_back({path, password, m_shared->stop.get_token()});
    m_shared->wake();
}

void DocumentOpener::cancel()
{
    const std::lock_guard lock(m_shared->mutex);
    m_shared->tasks.clear();
    m_shared->stop.request_stop();
    m_shared->stop = std::stop_source();
    // What still runs may take its time to end; it reports nothing any more.
    ++m_shared->round;
    if (std::exchange(m_shared->running, false)) {
        m_shared->postIdle();
    }
}

}  // namespace ui
