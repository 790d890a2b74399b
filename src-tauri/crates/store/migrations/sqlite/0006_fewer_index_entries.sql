-- A delivery that goes straight through was written into twelve indexes and taken out of four of them again. What its
-- way does not need is left to those that wait.

-- Rows that wait for their turn, and dead letters that keep later ones of their key waiting. With `delivery_active`
-- they are all that keeps a key from going; the first of them is next. The id is the last column by itself.
CREATE INDEX delivery_waits ON delivery (lane, key)
    WHERE key IS NOT NULL AND (state = 'held' OR (state = 'dead' AND park = 1));
DROP INDEX delivery_blocks;

-- The oldest of each lane that is not on the wire, whatever the backlog. The few that are stand in `delivery_state`.
DROP INDEX delivery_open;
CREATE INDEX delivery_open ON delivery (lane, id) WHERE state IN ('queued', 'retrying', 'held');
