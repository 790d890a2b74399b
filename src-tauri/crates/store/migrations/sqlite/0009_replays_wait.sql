-- What waits of replays stands in an index of its own, so that live traffic passes them at one cost, however many wait
-- for a quota to have more left than its reserve. Each row stands in one of the two.
DROP INDEX delivery_ready;
-- Heads only: a claim costs the same behind a backlog of a million.
CREATE INDEX delivery_ready ON delivery (lane, due_at)
    WHERE state IN ('queued', 'retrying') AND revision > 0 AND replay IS NULL;
CREATE INDEX delivery_ready_again ON delivery (lane, due_at)
    WHERE state IN ('queued', 'retrying') AND revision > 0 AND replay IS NOT NULL;
