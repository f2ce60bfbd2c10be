-- The logs of all documents. What is random (ids) has no index, so that appending stays sequential.

CREATE TABLE document (
    doc          BLOB    NOT NULL PRIMARY KEY,
    host         BLOB    NOT NULL,  -- AccountId of the tenant that is charged
    hosting      INTEGER NOT NULL,  -- HostingState: 0 private, 1 served, 2 ended, 3 opening, 4 returning
    frontier     BLOB    NOT NULL,  -- size and subtree roots of the log
    statements   INTEGER NOT NULL,  -- policy envelopes in the log
    stored_bytes INTEGER NOT NULL,
    tips         BLOB    NOT NULL   -- the end of each author's chain
) STRICT;

CREATE TABLE usage (
    account      BLOB    NOT NULL PRIMARY KEY,
    stored_bytes INTEGER NOT NULL   -- sum over the account's documents
) STRICT;

-- One row per group commit: with an envelope's row, all that its receipt is made from.
CREATE TABLE group_commit (
    id             INTEGER NOT NULL PRIMARY KEY,
    micros         INTEGER NOT NULL,
    receipt_hashes BLOB    NOT NULL,
    signature      BLOB    NOT NULL
) STRICT;

CREATE TABLE envelope (
    doc             BLOB    NOT NULL,
    idx             INTEGER NOT NULL,  -- dense from 0 in commit order
    id              BLOB    NOT NULL,
    author          BLOB    NOT NULL,
    seq             INTEGER NOT NULL,
    author_prev_idx INTEGER,           -- the author's previous envelope
    kind            INTEGER NOT NULL,  -- 1 delta, 2 policy
    root            BLOB    NOT NULL,  -- of the log just after this envelope
    commit_id       INTEGER NOT NULL,
    position        INTEGER NOT NULL,  -- place in the commit
    header          BLOB    NOT NULL,
    signature       BLOB    NOT NULL,
    body            BLOB    NOT NULL,
    parts           BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX envelope_place ON envelope (doc, idx);
CREATE INDEX envelope_statement ON envelope (doc, idx) WHERE kind = 2;
