"""The shape of the store, one numbered step after the other. A step that was released never changes."""

MIGRATIONS: tuple[str, ...] = (
    # 1: signals with what became of them, and the queue of each profile. Times are ms since 1970, UTC.
    """
    CREATE TABLE signals (
        id              INTEGER PRIMARY KEY AUTOINCREMENT,
        uid             TEXT    NOT NULL UNIQUE,
        profile         TEXT    NOT NULL,
        version         TEXT    NOT NULL,
        type            TEXT    NOT NULL,
        order_id        TEXT    NOT NULL,
        item            TEXT    NOT NULL,
        fields          TEXT    NOT NULL,
        event_at        INTEGER NOT NULL,
        accepted_at     INTEGER NOT NULL,
        state           TEXT    NOT NULL,
        held_by         TEXT    NOT NULL DEFAULT '',
        attempts        INTEGER NOT NULL DEFAULT 0,
        next_at         INTEGER NOT NULL,
        not_before      INTEGER NOT NULL DEFAULT 0,
        last_attempt_at INTEGER NOT NULL DEFAULT 0,
        settled_at      INTEGER,
        http_status     INTEGER,
        message         TEXT    NOT NULL DEFAULT '',
        maybe_duplicate INTEGER NOT NULL DEFAULT 0,
        last_run        TEXT    NOT NULL DEFAULT '',
        lease           TEXT,
        lease_until     INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX signals_by_item ON signals (profile, order_id, item, id);
    CREATE INDEX signals_by_time ON signals (accepted_at);
    CREATE INDEX signals_queued ON signals (profile, attempts, id) WHERE state = 'queued';
    CREATE INDEX signals_open ON signals (profile, id) WHERE state IN ('queued', 'held', 'refused', 'expired');
    CREATE TABLE queues (
        profile        TEXT PRIMARY KEY,
        paused_status  INTEGER,
        paused_message TEXT    NOT NULL DEFAULT '',
        paused_at      INTEGER,
        outages        INTEGER NOT NULL DEFAULT 0,
        delayed        INTEGER NOT NULL DEFAULT 0
    );
    """,
    # 2: who reported a signal and where, what happened at a bench beside signals, and items that wait for their label.
    """
    ALTER TABLE signals ADD COLUMN operator TEXT NOT NULL DEFAULT '';
    ALTER TABLE signals ADD COLUMN station  TEXT NOT NULL DEFAULT '';
    ALTER TABLE signals ADD COLUMN carrier  TEXT NOT NULL DEFAULT '';
    CREATE TABLE moments (
        id       INTEGER PRIMARY KEY,
        at       INTEGER NOT NULL,
        profile  TEXT    NOT NULL,
        kind     TEXT    NOT NULL,
        type     TEXT    NOT NULL,
        order_id TEXT    NOT NULL,
        item     TEXT    NOT NULL,
        operator TEXT    NOT NULL,
        station  TEXT    NOT NULL,
        words    TEXT    NOT NULL
    );
    CREATE INDEX moments_by_time ON moments (profile, at);
    CREATE TABLE benches (
        profile TEXT    NOT NULL,
        station TEXT    NOT NULL,
        waiting TEXT    NOT NULL,
        since   INTEGER NOT NULL,
        PRIMARY KEY (profile, station)
    );
    """,
    # 3: the order of an item, asked by the item alone: at a bench, between a scan and its verdict.
    """
    CREATE INDEX signals_by_item_alone ON signals (item, profile);
    """,
)
