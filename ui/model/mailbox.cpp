#include "ui/model/mailbox.h"

namespace ui {

Mailbox::Mailbox(QObject* parent)
    : QObject(parent)
{
    connect(this, &Mailbox::mail, this, &Mailbox::deliver, Qt::QueuedConnection);
}

void Mailbox::post(std::function<void()> function)
{
    {
        const std::lock_guard lock(m_mutex);
        m_functions.push_back(std::move(function));
    }
    Q_EMIT mail();
}

void Mailbox::deliver()
{
    std::function<void()> function;
    {
        const std::lock_guard lock(m_mutex);
        function = std::move(m_functions.front());
        m_functions.pop_front();
    }
    function();
}

}  // namespace ui
