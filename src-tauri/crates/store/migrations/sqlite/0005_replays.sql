-- What a replay needs to change its whole set, to be taken back, and to be told of later.

-- Given once for the set: a new body for its one delivery, or a JSON Patch (RFC 6902) for the body of each.
CREATE TABLE replay_change (
    replay BLOB PRIMARY KEY REFERENCES replay (id) ON DELETE CASCADE,
    patch TEXT,
    edit BLOB,
    CHECK ((patch IS NULL) <> (edit IS NULL))
) STRICT;

ALTER TABLE replay ADD COLUMN skipped_patch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE replay ADD COLUMN skipped_parked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE replay ADD COLUMN undone INTEGER NOT NULL DEFAULT 0;

-- When its turn came, why it was skipped, and when it was taken back.
ALTER TABLE replay_item ADD COLUMN at INTEGER;
ALTER TABLE replay_item ADD COLUMN message TEXT;
ALTER TABLE replay_item ADD COLUMN undone_at INTEGER;
-- A delivery's replays; those still to come are not part of its history.
CREATE INDEX replay_item_delivery ON replay_item (delivery) WHERE state <> 'pending';

-- What a delivery was before its item's turn, until its end is known: from here it is put back.
CREATE TABLE replay_before (
    replay BLOB NOT NULL REFERENCES replay (id) ON DELETE CASCADE,
    delivery BLOB NOT NULL,
    state TEXT NOT NULL,
    ended_at INTEGER,
    attempts INTEGER NOT NULL,
    tries_before INTEGER NOT NULL,
    round_started_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    kind TEXT,
    stage TEXT,
    status INTEGER,
    message TEXT,
    grp BLOB,
    park INTEGER NOT NULL,
    sent_by BLOB,
    PRIMARY KEY (replay, delivery)
) STRICT, WITHOUT ROWID;

-- A discard that was undone stays part of the delivery's history.
ALTER TABLE discard_item ADD COLUMN restored_at INTEGER;
CREATE INDEX discard_item_delivery ON discard_item (delivery);
