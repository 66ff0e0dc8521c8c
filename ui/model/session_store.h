#pragma once

#include "ui/model/session.h"

#include <QList>
#include <QObject>
#include <QString>
#include <QThread>

#include <memory>

namespace ui {

/// Sessions in SQLite (WAL). Blocking; one thread. Throws Error.
class SessionStore {
public:
    /// Makes the file and its folder where missing and brings the schema up to date. Refuses a
    /// schema of a newer program and leaves that file as it is. A damaged file is renamed to
    /// `file.damaged-1` (the first free number) and the sentence says so; the next try starts a new
    /// one. Turns that were running when the program died become stopped ones.
    explicit SessionStore(const QString& file);
    ~SessionStore();

    QList<SessionSummary> list() const;  // latest first
    /// Those that have every word in titles, questions or answers, in any case; latest first.
    QList<SessionSummary> search(const QString& words) const;
    Session load(qint64 id) const;
    /// Makes the stored session this one, in one transaction that writes changed turns only; fills
    /// in ids. A turn without an id takes the place of the stored one in its position. Where
    /// another program added turns to it since, it is stored as a new session instead, with ids of
    /// its own.
    void save(Session& session);
    void remove(qint64 id);
    void removeTurn(qint64 turnId);

private:
    struct Private;
    std::unique_ptr<Private> d;
};

/// Writes on its own thread, so that a slow disk never stops the window. Calls return at once and
/// are carried out in order; the destructor waits for what is left.
class SessionWriter : public QObject {
    Q_OBJECT
public:
    explicit SessionWriter(const QString& file, QObject* parent = nullptr);
    ~SessionWriter() override;

    /// `key` names a session before it has an id; saved() comes back with both. Of several saves
    /// of one key that wait for the disk, the latest is written.
    void save(const QString& key, const Session& session);
    void load(qint64 id);
    void list(const QString& words = {});
    void remove(qint64 id);

Q_SIGNALS:
    void saved(const QString& key, qint64 sessionId, const QList<qint64>& turnIds);
    void loaded(const ui::Session& session);
    void listed(const QList<ui::SessionSummary>& sessions);
    void failed(const QString& sentence);

private:
    struct Private;
    std::unique_ptr<Private> d;
};

}  // namespace ui
