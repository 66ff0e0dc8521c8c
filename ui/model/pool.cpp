#include "ui/model/pool.h"

#include "ui/model/mailbox.h"

#include <QCoreApplication>
#include <QRunnable>
#include <QThreadPool>

#include <atomic>

namespace ui {
namespace {

/// Qt hands over jobs in a way that ThreadSanitizer does not see; so this one starts with a flag
/// that it does see.
class Job : public QRunnable {
public:
    explicit Job(std::function<void()> work)
        : m_work(std::move(work))
    {
        m_made.store(true, std::memory_order_release);
    }
    void run() override
    {
        if (m_made.load(std::memory_order_acquire)) {
            m_work();
        }
    }

private:
    std::function<void()> m_work;
    std::atomic<bool> m_made = false;
};

/// Lives on the GUI thread and outlives every job.
Mailbox& mailbox()
{
    static auto* const made = [] {
        auto* mailbox = new Mailbox;
        mailbox->moveToThread(QCoreApplication::instance()->thread());
        return mailbox;
    }();
    return *made;
}

}  // namespace

void runOnPool(std::function<void()> work)
{
    mailbox();  // while there is an application: a job may end after it
    QThreadPool::globalInstance()->start(new Job(std::move(work)));  // the pool deletes it
}

void runOnGui(std::function<void()> call)
{
    if (QCoreApplication::instance() != nullptr) {
        mailbox().post(std::move(call));
    }
}

}  // namespace ui
