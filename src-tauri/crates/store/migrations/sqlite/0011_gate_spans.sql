-- When gates were closed, so that people see it over time; `gate` says only what holds now.
CREATE TABLE gate_span (
    scope TEXT NOT NULL CHECK (scope IN ('system', 'integration', 'lane')),
    name TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('order', 'breaker', 'rate', 'pause', 'quota', 'credential')),
    since INTEGER NOT NULL,
    -- NULL: it is closed still.
    until INTEGER,
    PRIMARY KEY (scope, name, reason, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX gate_span_until ON gate_span (until);
-- What is closed now. A breaker that a person forced closed is kept in `gate` too.
INSERT INTO gate_span (scope, name, reason, since, until)
    SELECT scope, name, reason, since, CASE reason WHEN 'rate' THEN until END FROM gate
    WHERE explain NOT LIKE '%"forced-closed"%';
