-- A revision has a sum over its delivery, its number and the bytes that it sends, wherever these are stored: what a disk
-- changes, in a body or in an index that leads to another one, is noticed before it is sent. NULL: older than this column.
ALTER TABLE revision ADD COLUMN sum BLOB CHECK (sum IS NULL OR length(sum) = 32);
