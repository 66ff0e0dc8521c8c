#include "ui/model/session_store.h"

#include "ui/model/error.h"

#include <QBuffer>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QHash>
#include <QSet>
#include <QtEndian>

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace ui {
namespace {

/// The file is no database, or a broken one.
class Damaged : public Error {
public:
    using Error::Error;
};

QString reason(int code, const char* message)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return QStringLiteral("the disk is full");
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return QStringLiteral("it may not be written to");
    case SQLITE_CANTOPEN:
        return QStringLiteral("it can't be opened; its folder may be missing or not writable");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return QStringLiteral("another program holds it");
    case SQLITE_IOERR:
        return QStringLiteral("the disk reported an error");
    default:
        return QString::fromUtf8(message);
    }
}

[[noreturn]] void fail(sqlite3* db, int code)
{
    const char* name = db ? sqlite3_db_filename(db, "main") : nullptr;
    const QString sentence = QStringLiteral("The session store %1 can't be used: %2.")
                                 .arg(QString::fromUtf8(name ? name : ""),
                                      reason(code, db ? sqlite3_errmsg(db) : sqlite3_errstr(code)));
    if (const int primary = code & 0xff; primary == SQLITE_NOTADB || primary == SQLITE_CORRUPT) {
        throw Damaged(sentence);
    }
    throw Error(sentence);
}

void check(sqlite3* db, int code)
{
    if (code != SQLITE_OK) {
        fail(db, code);
    }
}

void execute(sqlite3* db, const char* sql)
{
    check(db, sqlite3_exec(db, sql, nullptr, nullptr, nullptr));
}

class Statement {
public:
    template <typename... Values>
    Statement(sqlite3* db, const char* sql, const Values&... values)
        : m_db(db)
    {
        check(db, sqlite3_prepare_v2(db, sql, -1, &m_statement, nullptr));
        (bind(values), ...);
    }
    ~Statement() { sqlite3_finalize(m_statement); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    void bind(const QString& value)
    {
        const QByteArray utf8 = value.toUtf8();
        // a null pointer would bind NULL
        check(m_db,
              sqlite3_bind_text64(m_statement, ++m_bound, utf8.isNull() ? "" : utf8.constData(),
                                  sqlite3_uint64(utf8.size()), SQLITE_TRANSIENT, SQLITE_UTF8));
    }
    void bind(const QByteArray& value)
    {
        check(m_db,
              sqlite3_bind_blob64(m_statement, ++m_bound, value.isNull() ? "" : value.constData(),
                                  sqlite3_uint64(value.size()), SQLITE_TRANSIENT));
    }
    void bind(const QDateTime& value) { bind(value.toMSecsSinceEpoch()); }
    void bind(qint64 value) { check(m_db, sqlite3_bind_int64(m_statement, ++m_bound, value)); }
    void bind(quint64 value) { bind(qint64(value)); }
    void bind(int value) { bind(qint64(value)); }
    void bind(bool value) { bind(qint64(value)); }
    void bind(double value) { check(m_db, sqlite3_bind_double(m_statement, ++m_bound, value)); }
    template <typename T>
    void bind(const std::optional<T>& value)
    {
        if (value) {
            bind(*value);
        } else {
            check(m_db, sqlite3_bind_null(m_statement, ++m_bound));
        }
    }

    /// Whether there is a row.
    bool step()
    {
        m_column = -1;
        switch (const int code = sqlite3_step(m_statement)) {
        case SQLITE_ROW:
            return true;
        case SQLITE_DONE:
            return false;
        default:
            fail(m_db, code);
        }
    }

    /// The row's columns, one after the other.
    Statement& operator>>(qint64& value)
    {
        value = sqlite3_column_int64(m_statement, ++m_column);
        return *this;
    }
    Statement& operator>>(int& value)
    {
        value = sqlite3_column_int(m_statement, ++m_column);
        return *this;
    }
    Statement& operator>>(quint64& value)
    {
        value = quint64(sqlite3_column_int64(m_statement, ++m_column));
        return *this;
    }
    Statement& operator>>(bool& value)
    {
        value = sqlite3_column_int(m_statement, ++m_column) != 0;
        return *this;
    }
    Statement& operator>>(double& value)
    {
        value = sqlite3_column_double(m_statement, ++m_column);
        return *this;
    }
    Statement& operator>>(QString& value)
    {
        ++m_column;
        const auto* text =
            reinterpret_cast<const char*>(sqlite3_column_text(m_statement, m_column));
        value = QString::fromUtf8(text, sqlite3_column_bytes(m_statement, m_column));
        return *this;
    }
    Statement& operator>>(QByteArray& value)
    {
        ++m_column;
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(m_statement, m_column));
        value = QByteArray(bytes, sqlite3_column_bytes(m_statement, m_column));
        return *this;
    }
    Statement& operator>>(QDateTime& value)
    {
        qint64 milliseconds = 0;
        *this >> milliseconds;
        value = QDateTime::fromMSecsSinceEpoch(milliseconds);
        return *this;
    }
    template <typename T>
    Statement& operator>>(std::optional<T>& value)
    {
        if (sqlite3_column_type(m_statement, m_column + 1) == SQLITE_NULL) {
            ++m_column;
            value.reset();
        } else {
            *this >> value.emplace();
        }
        return *this;
    }

private:
    sqlite3* m_db;
    sqlite3_stmt* m_statement = nullptr;
    int m_bound = 0, m_column = -1;
};

template <typename... Values>
void run(sqlite3* db, const char* sql, const Values&... values)
{
    Statement(db, sql, values...).step();
}

/// Rolls back unless it is committed.
class Transaction {
public:
    explicit Transaction(sqlite3* db)
        : m_db(db)
    {
        execute(db, "BEGIN IMMEDIATE");
    }
    ~Transaction()
    {
        if (m_db) {
            sqlite3_exec(m_db, "ROLLBACK", nullptr, nullptr, nullptr);
        }
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit()
    {
        execute(m_db, "COMMIT");
        m_db = nullptr;
    }

private:
    sqlite3* m_db;
};

/// 001.sql, 002.sql, …: the last one's number is the schema this program knows.
QStringList migrations()
{
    const QDir folder(QStringLiteral(":/schema"));
    QStringList files;
    for (const QString& name :
         folder.entryList({QStringLiteral("*.sql")}, QDir::Files, QDir::Name)) {
        files << folder.filePath(name);
    }
    return files;
}

void migrate(sqlite3* db, int from)
{
    const QStringList files = migrations();
    for (int version = from; version < files.size(); ++version) {
        QFile file(files[version]);
        if (!file.open(QIODevice::ReadOnly)) {
            throw Error(QStringLiteral("The program lacks its resource %1.").arg(files[version]));
        }
        Transaction transaction(db);
        execute(db, file.readAll().constData());
        execute(db,
                QByteArray("PRAGMA user_version = " + QByteArray::number(version + 1)).constData());
        transaction.commit();
    }
}

/// contains(text, word) in any case and script; SQLite's own LIKE folds ASCII only.
void containsFunction(sqlite3_context* context, int, sqlite3_value** values)
{
    const auto text = [](sqlite3_value* value) {
        const auto* utf8 = reinterpret_cast<const char*>(sqlite3_value_text(value));
        return QString::fromUtf8(utf8, sqlite3_value_bytes(value));
    };
    sqlite3_result_int(context,
                       text(values[0]).contains(text(values[1]), Qt::CaseInsensitive) ? 1 : 0);
}

constexpr std::array<const char*, 5> stateNames{"running", "done", "stopped", "token-limit",
                                                "failed"};

QString stateName(TurnState state)
{
    return QString::fromLatin1(stateNames[std::size_t(state)]);
}

TurnState stateFromName(const QString& name)
{
    for (std::size_t i = 0; i < stateNames.size(); ++i) {
        if (name == QLatin1String(stateNames[i])) {
            return TurnState(i);
        }
    }
    throw Error(
        QStringLiteral("The session store holds a turn in the unknown state \"%1\".").arg(name));
}

/// See prompt_ids in resources/schema/001.sql. A prompt of 13 tiles (3,382 ids) takes about 100
/// bytes.
QByteArray packIds(const QList<int>& ids)
{
    if (ids.isEmpty()) {
        return {};
    }
    QByteArray bytes(ids.size() * 4, Qt::Uninitialized);
    qToLittleEndian<qint32>(ids.constData(), ids.size(), bytes.data());
    return qCompress(bytes);
}

QList<int> unpackIds(const QByteArray& packed)
{
    const QByteArray bytes = packed.isEmpty() ? QByteArray() : qUncompress(packed);
    QList<int> ids(bytes.size() / 4);
    qFromLittleEndian<qint32>(bytes.constData(), ids.size(), ids.data());
    return ids;
}

QByteArray toPng(const QImage& image)
{
    QBuffer buffer;
    buffer.open(QIODevice::WriteOnly);
    if (!image.isNull()) {
        image.save(&buffer, "PNG");
    }
    return buffer.data();
}

QImage fromPng(const QByteArray& png)
{
    const QImage image = png.isEmpty() ? QImage() : QImage::fromData(png, "PNG");
    return image.isNull() ? image : image.convertToFormat(QImage::Format_RGB888);
}

void writeAttachments(sqlite3* db, const Turn& turn)
{
    run(db, "DELETE FROM attachments WHERE turn_id = ?", turn.id);
    int position = 0;
    for (const Attachment& one : turn.attachments) {
        const auto& window = one.options.window;
        const bool whole = one.region.isNull();
        const auto side = [whole](int value) {
            return whole ? std::nullopt : std::optional(value);
        };
        run(db,
            "INSERT INTO attachments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "?, "
            "?, ?, ?, ?)",
            turn.id, position++, one.frame.file, one.frame.index, one.frame.sopInstance,
            window ? std::optional(window->center) : std::nullopt,
            window ? std::optional(window->width) : std::nullopt, one.options.inverted,
            one.options.asShown, side(one.region.x()), side(one.region.y()),
            side(one.region.width()), side(one.region.height()), one.frameSize.width(),
            one.frameSize.height(), one.gridColumns, one.gridRows, one.tiles, one.tokens, one.title,
            one.window, toPng(one.thumbnail), toPng(one.picture));
    }
}

QList<Attachment> readAttachments(sqlite3* db, qint64 turnId)
{
    QList<Attachment> all;
    Statement rows(
        db,
        "SELECT file, frame_index, sop_instance, window_center, window_width, inverted, "
        "as_shown, region_x, region_y, region_width, region_height, frame_width, "
        "frame_height, grid_columns, grid_rows, tiles, tokens, title, window, thumbnail, "
        "picture FROM attachments WHERE turn_id = ? ORDER BY position",
        turnId);
    while (rows.step()) {
        Attachment one;
        std::optional<double> center, width;
        std::optional<int> x, y, regionWidth, regionHeight;
        int frameWidth = 0, frameHeight = 0;
        QByteArray thumbnail, picture;
        rows >> one.frame.file >> one.frame.index >> one.frame.sopInstance >> center >> width >>
            one.options.inverted >> one.options.asShown >> x >> y >> regionWidth >> regionHeight >>
            frameWidth >> frameHeight >> one.gridColumns >> one.gridRows >> one.tiles >>
            one.tokens >> one.title >> one.window >> thumbnail >> picture;
        if (center && width) {
            one.options.window = WindowLevel{*center, *width};
        }
        if (x && y && regionWidth && regionHeight) {
            one.region = QRect(*x, *y, *regionWidth, *regionHeight);
        }
        one.frameSize = {frameWidth, frameHeight};
        one.thumbnail = fromPng(thumbnail);
        one.picture = fromPng(picture);
        all << one;
    }
    return all;
}

void writeBoxes(sqlite3* db, const Turn& turn)
{
    run(db, "DELETE FROM boxes WHERE turn_id = ?", turn.id);
    int position = 0;
    for (const AnswerBox& box : turn.boxes) {
        run(db, "INSERT INTO boxes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", turn.id, position++, box.label,
            box.attachment, box.rect.x(), box.rect.y(), box.rect.width(), box.rect.height());
    }
}

QList<AnswerBox> readBoxes(sqlite3* db, qint64 turnId)
{
    QList<AnswerBox> all;
    Statement rows(db,
                   "SELECT label, attachment, x, y, width, height FROM boxes WHERE turn_id = ? "
                   "ORDER BY position",
                   turnId);
    while (rows.step()) {
        AnswerBox box;
        double x = 0, y = 0, width = 0, height = 0;
        rows >> box.label >> box.attachment >> x >> y >> width >> height;
        box.rect = QRectF(x, y, width, height);
        all << box;
    }
    return all;
}

void writeTurn(sqlite3* db, qint64 sessionId, int position, Turn& turn)
{
    if (turn.id == 0) {
        run(db,
            "INSERT INTO turns VALUES (NULL, ?, ?, 0, '', '', '', '', 0, 'running', '', '', '', "
            "'', '', "
            "'', '', '', 0, 0, 0, 0, 0, 0, x'', x'', 0, 0, 0, 0, 0, 0, '')",
            sessionId, position);
        turn.id = sqlite3_last_insert_rowid(db);
    }
    const Provenance& from = turn.provenance;
    run(db,
        "UPDATE turns SET position = ?, asked = ?, question = ?, thinking = ?, answer = ?, text = "
        "?, "
        "thinking_seconds = ?, state = ?, error = ?, model_name = ?, model_hash = ?, device = ?, "
        "dtype = ?, program = ?, system_preset = ?, system_text = ?, max_tiles = ?, "
        "max_new_tokens = ?, top_k = ?, temperature = ?, top_p = ?, seed = ?, prompt_ids = ?, "
        "new_ids = ?, cached_tokens = ?, vision_seconds = ?, prefill_seconds = ?, "
        "decode_seconds = ?, first_token_seconds = ?, demonstration = ?, adapter_hash = ? "
        "WHERE id = ?",
        position, turn.asked, turn.question, turn.thinking, turn.answer, turn.text,
        turn.thinkingSeconds, stateName(turn.state), turn.error, from.modelName, from.modelHash,
        from.device, from.dtype, from.program, from.systemPreset, from.systemText, from.maxTiles,
        from.maxNewTokens, from.topK, from.temperature, from.topP, from.seed,
        packIds(from.promptIds), packIds(from.newIds), from.cachedTokens, from.visionSeconds,
        from.prefillSeconds, from.decodeSeconds, from.firstTokenSeconds, from.demonstration,
        from.adapterHash, turn.id);
}

QList<Turn> readTurns(sqlite3* db, qint64 sessionId)
{
    QList<Turn> all;
    Statement rows(db,
                   "SELECT id, asked, question, thinking, answer, text, thinking_seconds, state, "
                   "error, model_name, model_hash, device, dtype, program, system_preset, "
                   "system_text, max_tiles, max_new_tokens, top_k, temperature, top_p, seed, "
                   "prompt_ids, new_ids, cached_tokens, vision_seconds, prefill_seconds, "
                   "decode_seconds, first_token_seconds, demonstration, adapter_hash FROM turns "
                   "WHERE session_id = ? ORDER BY position",
                   sessionId);
    while (rows.step()) {
        Turn turn;
        Provenance& from = turn.provenance;
        QString state;
        QByteArray promptIds, newIds;
        rows >> turn.id >> turn.asked >> turn.question >> turn.thinking >> turn.answer >>
            turn.text >> turn.thinkingSeconds >> state >> turn.error >> from.modelName >>
            from.modelHash >> from.device >> from.dtype >> from.program >> from.systemPreset >>
            from.systemText >> from.maxTiles >> from.maxNewTokens >> from.topK >>
            from.temperature >> from.topP >> from.seed >> promptIds >> newIds >>
            from.cachedTokens >> from.visionSeconds >> from.prefillSeconds >> from.decodeSeconds >>
            from.firstTokenSeconds >> from.demonstration >> from.adapterHash;
        turn.state = stateFromName(state);
        from.promptIds = unpackIds(promptIds);
        from.newIds = unpackIds(newIds);
        turn.attachments = readAttachments(db, turn.id);
        turn.boxes = readBoxes(db, turn.id);
        all << turn;
    }
    return all;
}

/// Renames the database and what belongs to it; returns the new name. Overwrites nothing.
QString setAside(const QString& file)
{
    const QStringList parts{QString(), QStringLiteral("-wal"), QStringLiteral("-shm")};
    for (int number = 1;; ++number) {
        QString target = QStringLiteral("%1.damaged-%2").arg(file).arg(number);
        const bool taken = std::any_of(parts.begin(), parts.end(), [&](const QString& part) {
            return QFileInfo::exists(target + part);
        });
        if (taken) {
            continue;
        }
        for (const QString& part : parts) {
            QFile::rename(file + part, target + part);
        }
        return target;
    }
}

}  // namespace

struct SessionStore::Private {
    sqlite3* db = nullptr;
    Session last;                       // as it was saved last, to know what changed
    QHash<qint64, QSet<qint64>> turns;  // by session: those that were loaded or saved here

    void know(const Session& session)
    {
        QSet<qint64>& known = turns[session.id];
        for (const Turn& turn : session.turns) {
            known.insert(turn.id);
        }
    }
    bool knows(const Session& session, qint64 turn) const
    {
        return turns.value(session.id).contains(turn) ||
            std::any_of(session.turns.begin(), session.turns.end(),
                        [turn](const Turn& one) { return one.id == turn; });
    }

    ~Private() { sqlite3_close(db); }

    void open(const QString& file)
    {
        const int code = sqlite3_open_v2(
            QFile::encodeName(file).constData(), &db,
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
        if (code != SQLITE_OK) {
            throw Error(QStringLiteral("The session store %1 can't be used: %2.")
                            .arg(file, reason(code, sqlite3_errstr(code))));
        }
        sqlite3_extended_result_codes(db, 1);
        sqlite3_busy_timeout(db, 5000);
        // Not a byte may change before the schema is known to be ours; closing would fold the
        // write-ahead log into the file.
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        const int known = int(migrations().size());
        int version = 0, tables = 0;
        {
            Statement row(db,
                          "SELECT (SELECT user_version FROM pragma_user_version), "
                          "(SELECT count(*) FROM sqlite_master)");
            row.step();
            row >> version >> tables;
        }
        if (version > known) {
            throw Error(
                QStringLiteral("The session store %1 was written by a newer version of the "
                               "program (schema %2; this one knows %3); it is left as it is.")
                    .arg(file)
                    .arg(version)
                    .arg(known));
        }
        if (version == 0 && tables > 0) {
            throw Error(
                QStringLiteral("%1 is a database of another program, not a session store; it "
                               "is left as it is.")
                    .arg(file));
        }
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
        // FULL: a commit also outlives a power cut. It costs one fsync a commit, and there is at
        // most about one a second, off the window's thread.
        execute(db,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
        check(db,
              sqlite3_create_function_v2(db, "contains", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                         nullptr, containsFunction, nullptr, nullptr, nullptr));
        quickCheck(file);
        migrate(db, version);
        run(db, "UPDATE turns SET state = 'stopped' WHERE state = 'running'");
    }

    void quickCheck(const QString& file)
    {
        QString found;
        Statement row(db, "PRAGMA quick_check(1)");
        row.step();
        row >> found;
        if (found != QLatin1String("ok")) {
            throw Damaged(QStringLiteral("The session store %1 is damaged.").arg(file));
        }
    }

    QList<SessionSummary> summaries(Statement& rows) const
    {
        QList<SessionSummary> all;
        while (rows.step()) {
            SessionSummary one;
            rows >> one.id >> one.title >> one.updated >> one.turns;
            all << one;
        }
        return all;
    }
};

SessionStore::SessionStore(const QString& file)
    : d(std::make_unique<Private>())
{
    const QFileInfo info(file);
    if (!QDir().mkpath(info.absolutePath())) {
        throw Error(QStringLiteral("The session store's folder %1 can't be made; something of that "
                                   "name may be in the way, or the disk is not writable.")
                        .arg(info.absolutePath()));
    }
    try {
        d->open(info.absoluteFilePath());
    } catch (const Damaged&) {
        d = std::make_unique<Private>();  // closes it
        const QString aside = setAside(info.absoluteFilePath());
        throw Error(
            QStringLiteral("The session store %1 is damaged and was set aside as %2; a new one "
                           "is begun with the next session.")
                .arg(info.absoluteFilePath(), QFileInfo(aside).fileName()));
    }
}

SessionStore::~SessionStore() = default;

QList<SessionSummary> SessionStore::list() const
{
    return search({});
}

QList<SessionSummary> SessionStore::search(const QString& words) const
{
    const QStringList all = words.simplified().split(QLatin1Char(' '), Qt::SkipEmptyParts);
    QByteArray sql =
        "SELECT id, title, updated, (SELECT count(*) FROM turns WHERE session_id = s.id) "
        "FROM sessions AS s WHERE 1";
    for (int i = 1; i <= all.size(); ++i) {
        const QByteArray word = "?" + QByteArray::number(i);
        sql += " AND (contains(title, " + word +
            ") OR EXISTS (SELECT 1 FROM turns WHERE session_id = s.id" +
            " AND (contains(question, " + word + ") OR contains(answer, " + word + "))))";
    }
    sql += " ORDER BY updated DESC, id DESC";
    Statement rows(d->db, sql.constData());
    for (const QString& word : all) {
        rows.bind(word);
    }
    return d->summaries(rows);
}

Session SessionStore::load(qint64 id) const
{
    Session session;
    session.id = id;
    Statement row(d->db, "SELECT title, created, updated FROM sessions WHERE id = ?", id);
    if (!row.step()) {
        throw Error(QStringLiteral("Session %1 is no longer in the store.").arg(id));
    }
    row >> session.title >> session.created >> session.updated;
    session.turns = readTurns(d->db, id);
    d->know(session);
    return session;
}

void SessionStore::save(Session& session)
{
    Session next = session;
    Transaction transaction(d->db);
    QHash<qint64, int> stored;  // id -> position
    {
        Statement rows(d->db, "SELECT id, position FROM turns WHERE session_id = ?", next.id);
        while (rows.step()) {
            qint64 id = 0;
            int position = 0;
            rows >> id >> position;
            stored.insert(id, position);
        }
    }
    // What another program added since must not be lost: this one goes on as a session of its own.
    if (std::any_of(stored.keyBegin(), stored.keyEnd(),
                    [&](qint64 id) { return !d->knows(next, id); })) {
        next.id = 0;
        stored.clear();
    }
    run(d->db,
        "INSERT INTO sessions VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "title = excluded.title, created = excluded.created, updated = excluded.updated",
        next.id == 0 ? std::nullopt : std::optional(next.id), next.title, next.created,
        next.updated);
    if (next.id == 0) {
        next.id = sqlite3_last_insert_rowid(d->db);
    }
    for (Turn& turn : next.turns) {
        if (!stored.contains(turn.id)) {
            turn.id = 0;  // removed since, or of another store
        }
    }
    for (int i = 0; i < next.turns.size(); ++i) {
        const bool claimed =
            std::any_of(next.turns.begin(), next.turns.end(),
                        [&](const Turn& turn) { return turn.id != 0 && turn.id == stored.key(i); });
        if (next.turns[i].id == 0 && !claimed) {
            next.turns[i].id = stored.key(i);  // 0 where there is none
        }
    }

    QHash<qint64, int> removed = stored;
    for (int i = 0; i < next.turns.size(); ++i) {
        Turn& turn = next.turns[i];
        const bool known = turn.id != 0;
        removed.remove(turn.id);
        const Turn* before =
            d->last.id == next.id && i < d->last.turns.size() && d->last.turns[i].id == turn.id
            ? &d->last.turns[i]
            : nullptr;
        if (known && before && *before == turn && stored.value(turn.id) == i) {
            continue;
        }
        writeTurn(d->db, next.id, i, turn);
        if (!known || !before || before->attachments != turn.attachments) {
            writeAttachments(d->db, turn);
        }
        if (!known || !before || before->boxes != turn.boxes) {
            writeBoxes(d->db, turn);
        }
    }
    for (auto row = removed.keyBegin(); row != removed.keyEnd(); ++row) {
        run(d->db, "DELETE FROM turns WHERE id = ?", *row);
    }
    transaction.commit();
    session = next;
    d->last = next;
    d->know(next);
}

void SessionStore::remove(qint64 id)
{
    run(d->db, "DELETE FROM sessions WHERE id = ?", id);
    d->last = {};
}

void SessionStore::removeTurn(qint64 turnId)
{
    run(d->db, "DELETE FROM turns WHERE id = ?", turnId);
    d->last = {};
}

}  // namespace ui
