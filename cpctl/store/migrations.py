"""The schema of the store as numbered steps; SQLite's `user_version` is the number of the last step applied.

A released step never changes: stores that have had it would not get the change. A store may come from any earlier
version, so each step must work on a store full of rows. All missing steps run in one transaction (`store._migrate`).
Times are in ms since 1970, UTC.
"""

MIGRATIONS: tuple[str, ...] = (
    # 1: signals with their state, and the queue of each profile.
    # signals_queued serves the dispatcher; signals_open serves every look at the outbox, and stays small however long
    # the history is. SQLite uses it only for a query that lists the same four states.
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
    # 2: who reported a signal and where; conflicts and corrections at a bench; the open parcels of each bench.
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
    # 3: the order of an item by the item alone: at a bench, between a scan and its result.
    """
    CREATE INDEX signals_by_item_alone ON signals (item, profile);
    """,
    # 4: received webhooks, the latest event of each order and item, and their deliveries to targets.
    # `said_at` is the event's own time, 0 if it has none. Events mostly arrive in the order of their times, so those
    # that are written together are neighbors in events_by_digest, the index that finds a repeat.
    """
    CREATE TABLE events (
        id              INTEGER PRIMARY KEY AUTOINCREMENT,
        profile         TEXT    NOT NULL,
        digest          TEXT    NOT NULL,
        type            TEXT    NOT NULL,
        order_id        TEXT    NOT NULL,
        item            TEXT    NOT NULL,
        order_reference TEXT    NOT NULL,
        item_reference  TEXT    NOT NULL,
        event_at        INTEGER NOT NULL,
        stage           INTEGER NOT NULL,
        said_at         INTEGER NOT NULL,
        payload         TEXT    NOT NULL,
        received_at     INTEGER NOT NULL,
        last_at         INTEGER NOT NULL,
        times           INTEGER NOT NULL DEFAULT 1
    );
    CREATE UNIQUE INDEX events_by_digest ON events (profile, said_at, digest);
    CREATE INDEX events_by_item ON events (profile, order_id, item);
    CREATE INDEX events_by_time ON events (profile, received_at);
    CREATE TABLE latest_events (
        id              INTEGER PRIMARY KEY,
        profile         TEXT    NOT NULL,
        order_id        TEXT    NOT NULL,
        item            TEXT    NOT NULL,
        order_reference TEXT    NOT NULL,
        item_reference  TEXT    NOT NULL,
        event           INTEGER NOT NULL,
        type            TEXT    NOT NULL,
        event_at        INTEGER NOT NULL,
        stage           INTEGER NOT NULL,
        digest          TEXT    NOT NULL,
        payload         TEXT    NOT NULL,
        UNIQUE (profile, order_id, item)
    );
    CREATE INDEX latest_events_by_item ON latest_events (profile, item);
    CREATE INDEX latest_events_by_order_reference ON latest_events (profile, order_reference);
    CREATE INDEX latest_events_by_item_reference ON latest_events (profile, item_reference);
    CREATE TABLE handovers (
        profile     TEXT    NOT NULL,
        target      TEXT    NOT NULL,
        event       INTEGER NOT NULL,
        state       TEXT    NOT NULL DEFAULT 'waiting',
        attempts    INTEGER NOT NULL DEFAULT 0,
        next_at     INTEGER NOT NULL,
        last_at     INTEGER NOT NULL DEFAULT 0,
        lease_until INTEGER NOT NULL DEFAULT 0,
        message     TEXT    NOT NULL DEFAULT '',
        PRIMARY KEY (event, target)
    ) WITHOUT ROWID;
    CREATE INDEX handovers_open ON handovers (profile, target, state, next_at) WHERE state <> 'done';
    CREATE TABLE known_orders (
        profile   TEXT    NOT NULL,
        reference TEXT    NOT NULL,
        added_at  INTEGER NOT NULL,
        PRIMARY KEY (profile, reference)
    ) WITHOUT ROWID;
    CREATE TABLE receivers (
        profile TEXT PRIMARY KEY,
        seen_at INTEGER NOT NULL
    );
    """,
    # 5: names. Renaming a table or a column changes only the schema, however many rows there are: indexes and their
    # conditions follow. Only the two small indexes that were named after their tables are built again. No view or
    # trigger exists that could refer to an old name. A service of the old version that is still running fails with
    # "no such column" (exit status 7) until it is restarted; nothing is lost.
    """
    ALTER TABLE signals RENAME COLUMN next_at TO next_attempt_at;
    ALTER TABLE moments RENAME TO audit_events;
    ALTER TABLE audit_events RENAME COLUMN at TO occurred_at;
    ALTER TABLE audit_events RENAME COLUMN words TO details;
    DROP INDEX moments_by_time;
    CREATE INDEX audit_events_by_time ON audit_events (profile, occurred_at);
    ALTER TABLE benches RENAME TO open_parcels;
    ALTER TABLE open_parcels RENAME COLUMN waiting TO items;
    ALTER TABLE open_parcels RENAME COLUMN since TO saved_at;
    ALTER TABLE events RENAME COLUMN said_at TO occurred_at;
    ALTER TABLE events RENAME COLUMN times TO received_count;
    ALTER TABLE events RENAME COLUMN last_at TO last_received_at;
    ALTER TABLE handovers RENAME TO deliveries;
    ALTER TABLE deliveries RENAME COLUMN next_at TO next_attempt_at;
    ALTER TABLE deliveries RENAME COLUMN last_at TO last_attempt_at;
    DROP INDEX handovers_open;
    CREATE INDEX deliveries_open ON deliveries (profile, target, state, next_attempt_at) WHERE state <> 'done';
    UPDATE deliveries SET message = 'target dropped' WHERE message = 'given up' AND state = 'done';
    """,
    # 6: the environment and address that a signal was accepted for ("" in rows of earlier versions), its tracking code
    # in a column of its own, and which signals wait only because the service was in trouble; signs of life of
    # services that run all the time.
    """
    ALTER TABLE signals ADD COLUMN environment TEXT NOT NULL DEFAULT '';
    ALTER TABLE signals ADD COLUMN base_url    TEXT NOT NULL DEFAULT '';
    ALTER TABLE signals ADD COLUMN tracking    TEXT NOT NULL DEFAULT '';
    ALTER TABLE signals ADD COLUMN is_postponed INTEGER NOT NULL DEFAULT 0;
    UPDATE signals SET tracking = coalesce(json_extract(fields, '$.tracking'), '')
        WHERE type = 'ItemShipped' AND json_valid(fields);
    CREATE INDEX signals_by_tracking ON signals (tracking, profile) WHERE tracking <> '';
    CREATE TABLE heartbeats (
        profile TEXT    NOT NULL,
        service TEXT    NOT NULL,
        seen_at INTEGER NOT NULL,
        details TEXT    NOT NULL DEFAULT '',
        PRIMARY KEY (profile, service)
    ) WITHOUT ROWID;
    """,
    # 7: requests that a receiver could not accept as events, kept for a person to see.
    """
    CREATE TABLE rejected_requests (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        profile      TEXT    NOT NULL,
        received_at  INTEGER NOT NULL,
        reason       TEXT    NOT NULL,
        content_type TEXT    NOT NULL,
        body         BLOB    NOT NULL
    );
    """,
)
