-- Sessions of the workbench, schema 1. Times are milliseconds since 1970 UTC. Later schemas are
-- further files, 002.sql and so on, each run once, in order.
CREATE TABLE sessions (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    title   TEXT    NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
);
CREATE INDEX sessions_by_time ON sessions (updated DESC);

CREATE TABLE turns (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id       INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    position         INTEGER NOT NULL,
    asked            INTEGER NOT NULL,
    question         TEXT    NOT NULL,
    thinking         TEXT    NOT NULL,
    answer           TEXT    NOT NULL,
    text             TEXT    NOT NULL, -- as the model gave it, thinking included
    thinking_seconds REAL    NOT NULL,
    state            TEXT    NOT NULL
        CHECK (state IN ('running', 'done', 'stopped', 'token-limit', 'failed')),
    error            TEXT    NOT NULL,
    -- provenance
    model_name       TEXT    NOT NULL,
    model_hash       TEXT    NOT NULL,
    device           TEXT    NOT NULL,
    dtype            TEXT    NOT NULL,
    program          TEXT    NOT NULL,
    system_preset    TEXT    NOT NULL,
    system_text      TEXT    NOT NULL,
    max_tiles        INTEGER NOT NULL,
    max_new_tokens   INTEGER NOT NULL,
    top_k            INTEGER NOT NULL,
    temperature      REAL    NOT NULL,
    top_p            REAL    NOT NULL,
    seed             INTEGER NOT NULL, -- 64 bits; above 2^63 as negative numbers
    prompt_ids       BLOB    NOT NULL, -- 4 bytes with the unpacked size (big-endian), then zlib of
    new_ids          BLOB    NOT NULL, -- int32 little-endian; empty where there are none
    cached_tokens    INTEGER NOT NULL,
    vision_seconds   REAL    NOT NULL,
    prefill_seconds  REAL    NOT NULL,
    decode_seconds   REAL    NOT NULL,
    first_token_seconds REAL NOT NULL,
    demonstration    INTEGER NOT NULL
);
CREATE INDEX turns_by_session ON turns (session_id, position);

CREATE TABLE attachments (
    turn_id       INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    position      INTEGER NOT NULL,
    file          TEXT    NOT NULL,
    frame_index   INTEGER NOT NULL,
    sop_instance  TEXT    NOT NULL,
    window_center REAL, -- both NULL: the file's own window
    window_width  REAL,
    inverted      INTEGER NOT NULL,
    as_shown      INTEGER NOT NULL,
    region_x      INTEGER, -- all NULL: the whole frame
    region_y      INTEGER,
    region_width  INTEGER,
    region_height INTEGER,
    frame_width   INTEGER NOT NULL,
    frame_height  INTEGER NOT NULL,
    grid_columns  INTEGER NOT NULL, -- 0: never answered
    grid_rows     INTEGER NOT NULL,
    tiles         INTEGER NOT NULL,
    tokens        INTEGER NOT NULL,
    title         TEXT    NOT NULL,
    window        TEXT    NOT NULL,
    thumbnail     BLOB    NOT NULL, -- PNG
    picture       BLOB    NOT NULL, -- PNG of the whole frame where no file holds it, else empty
    PRIMARY KEY (turn_id, position)
) WITHOUT ROWID;

CREATE TABLE boxes (
    turn_id    INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    label      TEXT    NOT NULL,
    attachment INTEGER NOT NULL, -- index among all attachments of the session, in order
    x          REAL    NOT NULL, -- pixels of the whole frame
    y          REAL    NOT NULL,
    width      REAL    NOT NULL,
    height     REAL    NOT NULL,
    PRIMARY KEY (turn_id, position)
) WITHOUT ROWID;
