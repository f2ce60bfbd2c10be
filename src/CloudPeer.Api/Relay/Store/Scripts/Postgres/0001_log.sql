-- The logs of all documents. What is random (ids) has no index, so that appending stays sequential.
-- Every key begins with the document, so that the tables can be distributed by it.

CREATE TABLE document (
    doc          bytea    NOT NULL PRIMARY KEY,
    host         bytea    NOT NULL,  -- AccountId of the tenant that is charged
    hosting      smallint NOT NULL,  -- HostingState: 0 private, 1 served, 2 ended, 3 opening, 4 returning
    frontier     bytea    NOT NULL,  -- size and subtree roots of the log
    statements   integer  NOT NULL,  -- policy envelopes in the log
    stored_bytes bigint   NOT NULL,
    tips         bytea    NOT NULL   -- the end of each author's chain
) WITH (fillfactor = 50);

CREATE TABLE usage (
    account      bytea  NOT NULL PRIMARY KEY,
    stored_bytes bigint NOT NULL     -- sum over the account's documents
) WITH (fillfactor = 50);

-- One row per group commit: with an envelope's row, all that its receipt is made from.
CREATE TABLE group_commit (
    id             bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    micros         bigint NOT NULL,
    receipt_hashes bytea  NOT NULL,
    signature      bytea  NOT NULL
);

CREATE TABLE envelope (
    doc             bytea    NOT NULL,
    idx             bigint   NOT NULL,  -- dense from 0 in commit order
    id              bytea    NOT NULL,
    author          bytea    NOT NULL,
    seq             bigint   NOT NULL,
    author_prev_idx bigint,             -- the author's previous envelope
    kind            smallint NOT NULL,  -- 1 delta, 2 policy
    root            bytea    NOT NULL,  -- of the log just after this envelope
    commit_id       bigint   NOT NULL,
    position        integer  NOT NULL,  -- place in the commit
    header          bytea    NOT NULL,
    signature       bytea    NOT NULL,
    body            bytea    NOT NULL,
    parts           bytea    NOT NULL,
    PRIMARY KEY (doc, idx) INCLUDE (id)
);

-- Ciphertext does not compress.
ALTER TABLE envelope ALTER COLUMN parts SET STORAGE EXTERNAL;
ALTER TABLE group_commit ALTER COLUMN receipt_hashes SET STORAGE EXTERNAL;

CREATE INDEX envelope_statement ON envelope (doc, idx) WHERE kind = 2;
