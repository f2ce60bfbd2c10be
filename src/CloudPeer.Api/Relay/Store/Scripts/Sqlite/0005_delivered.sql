-- Up to where the devices of a document have said that they hold it: one row for all of them (docs/protocol/sync.md §8).

CREATE TABLE delivered (
    doc     BLOB NOT NULL PRIMARY KEY,
    devices BLOB NOT NULL  -- PeerId, u64be size, u64be micros of each
) STRICT, WITHOUT ROWID;
