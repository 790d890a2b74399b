-- A revision's own bytes have a sum, as an event's have, so that a disk that changes them is noticed before they are sent.
-- NULL: `body` is NULL too, or the row is older than this column.
ALTER TABLE revision ADD COLUMN body_hash BLOB CHECK (body_hash IS NULL OR length(body_hash) = 32);
