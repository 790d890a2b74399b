-- Given back by undoing a discard: like a replay's delivery it may be older than what its key has delivered meanwhile,
-- which is looked at when its attempt opens.
ALTER TABLE delivery ADD COLUMN restored_at INTEGER;
