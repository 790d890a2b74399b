-- The ledger, version 1.
--
-- Ids are 16 bytes that sort by time. Times are microseconds since 1970. Payloads (event_body.body, revision.body,
-- attempt.response_body) stand last in their rows or in tables of their own, so that sealing them is no rewrite.
--
-- The tables of the hot path have no foreign keys: each would cost a look-up per row, and one writer fills both sides
-- in one commit.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- The boots of this ledger so far. An attempt is fenced by the boot that opened it.
INSERT INTO meta (name, value) VALUES ('epoch', 0);

CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    integration TEXT NOT NULL,
    destination TEXT NOT NULL,
    system TEXT NOT NULL,
    last_delivered_at INTEGER,
    UNIQUE (integration, destination)
) STRICT;

CREATE TABLE gate (
    scope TEXT NOT NULL CHECK (scope IN ('system', 'integration', 'lane')),
    name TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('order', 'breaker', 'rate', 'pause', 'quota', 'credential')),
    since INTEGER NOT NULL,
    until INTEGER,
    explain TEXT NOT NULL,
    PRIMARY KEY (scope, name, reason)
) STRICT, WITHOUT ROWID;

-- The files of an integration's version as a JSON list of [path, text].
CREATE TABLE version (
    integration TEXT NOT NULL,
    version TEXT NOT NULL,
    at INTEGER NOT NULL,
    files TEXT NOT NULL,
    PRIMARY KEY (integration, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    -- Given by the writer, so that the body needs no index of its own.
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    integration TEXT NOT NULL,
    version TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    source_id TEXT,
    event_type TEXT,
    key TEXT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT,
    headers TEXT NOT NULL,
    content_type TEXT,
    size INTEGER NOT NULL,
    body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
    notes TEXT NOT NULL,
    conflict_of BLOB,
    -- Its steps still have to run; `boots` saw it there, the last of them was `boot_epoch`.
    unplanned INTEGER NOT NULL CHECK (unplanned IN (0, 1)),
    boots INTEGER NOT NULL,
    boot_epoch INTEGER NOT NULL
) STRICT;
CREATE INDEX event_unplanned ON event (id) WHERE unplanned = 1;

CREATE TABLE event_body (
    seq INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- What was accepted under a sender's own id. Several hashes under one id: a conflict.
CREATE TABLE dedupe (
    integration TEXT NOT NULL,
    source_id TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    event BLOB NOT NULL,
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (integration, source_id, body_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX dedupe_keep_until ON dedupe (keep_until);

-- An event on its way to one destination. While `state` is 'sending', this row is the open attempt.
CREATE TABLE delivery (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    event BLOB NOT NULL CHECK (length(event) = 16),
    lane INTEGER NOT NULL,
    state TEXT NOT NULL,
    key TEXT,
    event_type TEXT,
    accepted_at INTEGER NOT NULL,
    due_at INTEGER,
    sending_since INTEGER,
    ended_at INTEGER,
    -- Attempts opened in this delivery's life; those before `tries_before` do not count towards the schedule.
    attempts INTEGER NOT NULL,
    tries_before INTEGER NOT NULL,
    round_started_at INTEGER NOT NULL,
    -- 0: its steps have not run, there is nothing to send yet.
    revision INTEGER NOT NULL,
    -- The boot that opened the last attempt.
    epoch INTEGER NOT NULL,
    -- The last failure, until something better is known.
    kind TEXT,
    stage TEXT,
    status INTEGER,
    message TEXT,
    grp BLOB,
    -- A dead letter that keeps later ones of its key waiting.
    park INTEGER NOT NULL,
    latency_us INTEGER,
    conflict_of BLOB,
    replay BLOB,

    CHECK (state IN ('queued', 'sending', 'retrying', 'held', 'delivered', 'dead', 'discarded', 'filtered', 'collected', 'superseded')),
    CHECK ((state IN ('queued', 'sending', 'retrying')) = (due_at IS NOT NULL)),
    CHECK ((state IN ('queued', 'sending', 'retrying', 'held')) = (ended_at IS NULL)),
    CHECK ((state = 'sending') = (sending_since IS NOT NULL)),
    CHECK ((state = 'delivered') = (latency_us IS NOT NULL)),
    CHECK (state <> 'sending' OR (epoch > 0 AND attempts > 0 AND revision > 0)),
    CHECK (state <> 'delivered' OR (attempts > 0 AND kind IS NULL)),
    CHECK (state <> 'queued' OR kind IS NULL),
    CHECK (state <> 'retrying' OR kind IS NOT NULL),
    CHECK (state <> 'held' OR key IS NOT NULL),
    CHECK (state <> 'dead' OR (kind IS NOT NULL AND stage IS NOT NULL AND message IS NOT NULL AND grp IS NOT NULL)),
    CHECK (park = 0 OR (park = 1 AND state = 'dead')),
    CHECK (attempts >= 0 AND tries_before BETWEEN 0 AND attempts),
    CHECK (kind IS NULL OR kind IN ('rejected', 'rate', 'auth', 'mapping', 'server', 'network', 'unknown'))
) STRICT, WITHOUT ROWID;

-- The hard guard of order: one row of a key is on its way.
CREATE UNIQUE INDEX delivery_active ON delivery (lane, key)
    WHERE key IS NOT NULL AND state IN ('queued', 'retrying', 'sending');
-- Rows that keep later ones of their key waiting; the first of them is next. The id is the last column by itself.
CREATE INDEX delivery_blocks ON delivery (lane, key)
    WHERE key IS NOT NULL AND (state IN ('queued', 'sending', 'retrying', 'held') OR (state = 'dead' AND park = 1));
-- Heads only: a claim costs the same behind a backlog of a million.
CREATE INDEX delivery_ready ON delivery (lane, due_at) WHERE state IN ('queued', 'retrying') AND revision > 0;
-- Lists and figures of everything but the delivered, which is nearly everything.
CREATE INDEX delivery_state ON delivery (state, id, lane) WHERE state <> 'delivered';
-- The oldest of each lane, whatever the backlog.
CREATE INDEX delivery_open ON delivery (lane, id) WHERE state IN ('queued', 'sending', 'retrying', 'held');
CREATE INDEX delivery_kind ON delivery (kind, id) WHERE kind IS NOT NULL;
-- Most deliveries end with a 2xx; the others are looked for.
CREATE INDEX delivery_not_2xx ON delivery (id, status) WHERE status < 200 OR status > 299;
CREATE INDEX delivery_group ON delivery (grp, id) WHERE state = 'dead';
CREATE INDEX delivery_group_time ON delivery (grp, ended_at, key) WHERE state = 'dead';
CREATE INDEX delivery_key ON delivery (key, id) WHERE key IS NOT NULL;
CREATE INDEX delivery_lane ON delivery (lane, id);
CREATE INDEX delivery_event ON delivery (event);

-- The bytes that a delivery sends; `body` NULL: the event's own.
CREATE TABLE revision (
    delivery BLOB NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    origin TEXT NOT NULL CHECK (origin IN ('mapped', 'remapped', 'edited')),
    created_at INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB,
    UNIQUE (delivery, number)
) STRICT;

-- Ended attempts. An open one is its delivery's row.
CREATE TABLE attempt (
    delivery BLOB NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    status INTEGER,
    kind TEXT,
    error TEXT,
    wait_us INTEGER,
    total_us INTEGER,
    url TEXT,
    waited_for TEXT,
    next_due_at INTEGER,
    response_size INTEGER,
    response_truncated INTEGER,
    response_headers TEXT,
    response_body BLOB,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE replay (
    id BLOB PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('planned', 'running', 'paused', 'done', 'cancelled', 'stopped')),
    mode TEXT NOT NULL CHECK (mode IN ('remap', 'exact')),
    rate REAL NOT NULL,
    canary INTEGER NOT NULL,
    reason TEXT,
    newer TEXT NOT NULL CHECK (newer IN ('skip', 'send')),
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    stopped_because TEXT,
    -- 0: its set is still being written; a crash then leaves a plan that nobody was told of.
    frozen INTEGER NOT NULL,
    -- Counted as items move: progress is asked for often and the set can have a million rows.
    total INTEGER NOT NULL,
    pending INTEGER NOT NULL CHECK (pending >= 0),
    sent INTEGER NOT NULL CHECK (sent >= 0),
    delivered INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    skipped_newer INTEGER NOT NULL,
    skipped_state INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE replay_item (
    replay BLOB NOT NULL REFERENCES replay (id) ON DELETE CASCADE,
    delivery BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'delivered', 'dead', 'skipped')),
    -- The set is frozen oldest first, and ids sort by time.
    PRIMARY KEY (replay, delivery)
) STRICT, WITHOUT ROWID;
CREATE INDEX replay_item_pending ON replay_item (replay, delivery) WHERE state = 'pending';

CREATE TABLE discard (
    id BLOB PRIMARY KEY,
    at INTEGER NOT NULL,
    reason TEXT
) STRICT, WITHOUT ROWID;

-- What a discarded delivery was.
CREATE TABLE discard_item (
    discard BLOB NOT NULL REFERENCES discard (id) ON DELETE CASCADE,
    delivery BLOB NOT NULL,
    state TEXT NOT NULL,
    park INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (discard, delivery)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejected (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    integration TEXT,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    remote TEXT NOT NULL,
    size INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE series (
    bucket INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    rate INTEGER NOT NULL,
    auth INTEGER NOT NULL,
    mapping INTEGER NOT NULL,
    server INTEGER NOT NULL,
    network INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    queue_depth INTEGER,
    oldest_age_ms INTEGER,
    latency BLOB NOT NULL,
    PRIMARY KEY (bucket, lane)
) STRICT, WITHOUT ROWID;
