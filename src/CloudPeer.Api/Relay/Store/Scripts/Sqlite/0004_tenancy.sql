-- Exact counters of what tenants use (docs/adr/0008), and documents that were deleted.

ALTER TABLE document ADD COLUMN app TEXT NOT NULL DEFAULT '';              -- the app that brought it
ALTER TABLE document ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;     -- with which the log began, after a deletion
ALTER TABLE document ADD COLUMN author_bytes BLOB NOT NULL DEFAULT x'';    -- author and u64 of its bytes, for each author
CREATE INDEX document_host ON document (host);

ALTER TABLE usage ADD COLUMN documents INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN day INTEGER NOT NULL DEFAULT 0;               -- days since 1970, UTC
ALTER TABLE usage ADD COLUMN envelopes_today INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;           -- the kinds of shares that are kept: 1 authors, 2 apps

UPDATE document SET author_bytes = coalesce((
    SELECT unhex(group_concat(hex(author) || printf('%016X', bytes), ''))
    FROM (
        SELECT e.author, sum(length(e.header) + length(e.signature) + 4 + length(e.body) + length(e.parts) + e.blob_bytes) AS bytes
        FROM envelope e WHERE e.doc = document.doc GROUP BY e.author)), x'');
UPDATE usage SET documents = (SELECT count(*) FROM document WHERE document.host = usage.account);

-- Shares of a tenant's room. Only while usage.counted says so, else the rows are old.
CREATE TABLE usage_share (
    account      BLOB    NOT NULL,
    kind         INTEGER NOT NULL,
    holder       BLOB    NOT NULL,  -- PeerId of an author, or an app
    stored_bytes INTEGER NOT NULL,
    PRIMARY KEY (account, kind, holder)
) STRICT, WITHOUT ROWID;

-- Documents whose hosting ended. Pushed again, a log begins with this generation, of size 0 (docs/protocol/log.md §6.6).
CREATE TABLE deleted (
    doc    BLOB    NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    micros INTEGER NOT NULL,
    purged INTEGER NOT NULL   -- 0 while entries remain
) STRICT, WITHOUT ROWID;

CREATE INDEX deleted_unpurged ON deleted (doc) WHERE NOT purged;
