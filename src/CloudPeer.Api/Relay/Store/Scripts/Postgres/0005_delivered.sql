-- Up to where the devices of a document have said that they hold it: one row for all of them (docs/protocol/sync.md §8).

CREATE TABLE delivered (
    doc     bytea NOT NULL PRIMARY KEY,
    devices bytea NOT NULL  -- PeerId, u64be size, u64be micros of each
) WITH (fillfactor = 50);
