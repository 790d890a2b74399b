-- Requests that carried several deliveries. Tables of their own: an attempt that went alone costs nothing more.

CREATE TABLE batch (
    -- The attempt of its first record.
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    -- The request's idempotency key: the same set that is sent again has the same key, and is another batch.
    key TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE batch_record (
    -- The attempt, by its own key.
    delivery BLOB NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    batch BLOB NOT NULL,
    -- Its place in the request, from 0.
    place INTEGER NOT NULL CHECK (place >= 0),
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_record_batch ON batch_record (batch, place);
