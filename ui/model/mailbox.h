#pragma once

#include <QObject>

#include <deque>
#include <functional>
#include <mutex>

namespace ui {

/// Runs functions on the thread it lives on, in the order they were posted, as a queued
/// QMetaObject::invokeMethod() does. The lock is ours, so that ThreadSanitizer sees the hand-over;
/// Qt's own is in a library that it can't look into. What is not delivered when the mailbox is
/// destroyed is dropped.
class Mailbox : public QObject {
    Q_OBJECT
public:
    explicit Mailbox(QObject* parent = nullptr);

    /// Any thread; returns at once.
    void post(std::function<void()> function);

Q_SIGNALS:
    void mail();

private:
    void deliver();

    std::mutex m_mutex;
    std::deque<std::function<void()>> m_functions;
};

}  // namespace ui
