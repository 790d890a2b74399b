-- Events that came in one request: which of them this is, from 1, of how many, and the request that they share (the id
-- of its first event).
ALTER TABLE event ADD COLUMN part INTEGER CHECK (part > 0);
ALTER TABLE event ADD COLUMN parts INTEGER CHECK (part <= parts);
ALTER TABLE event ADD COLUMN request BLOB
    CHECK ((request IS NULL) = (part IS NULL) AND (request IS NULL) = (parts IS NULL));
CREATE INDEX event_request ON event (request, part) WHERE request IS NOT NULL;
