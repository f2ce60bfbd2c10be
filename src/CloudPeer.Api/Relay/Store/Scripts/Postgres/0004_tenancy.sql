-- Exact counters of what tenants use (docs/adr/0008), and documents that were deleted.

ALTER TABLE document
    ADD COLUMN app text NOT NULL DEFAULT '',             -- the app that brought it
    ADD COLUMN generation bigint NOT NULL DEFAULT 0,     -- with which the log began, after a deletion
    ADD COLUMN author_bytes bytea NOT NULL DEFAULT '';   -- author and u64 of its bytes, for each author
CREATE INDEX document_host ON document (host);

ALTER TABLE usage
    ADD COLUMN documents bigint NOT NULL DEFAULT 0,
    ADD COLUMN day integer NOT NULL DEFAULT 0,           -- days since 1970, UTC
    ADD COLUMN envelopes_today bigint NOT NULL DEFAULT 0,
    ADD COLUMN counted smallint NOT NULL DEFAULT 0;      -- the kinds of shares that are kept: 1 authors, 2 apps

UPDATE document SET author_bytes = counted.bytes FROM (
    SELECT doc, string_agg(author || int8send(bytes), ''::bytea) AS bytes FROM (
        SELECT doc, author, sum(octet_length(header) + octet_length(signature) + 4 + octet_length(body) + octet_length(parts) + blob_bytes)::bigint AS bytes
        FROM envelope GROUP BY doc, author) by_author
    GROUP BY doc) counted
WHERE counted.doc = document.doc;
UPDATE usage SET documents = (SELECT count(*) FROM document WHERE document.host = usage.account);

-- Shares of a tenant's room. Only while usage.counted says so, else the rows are old.
CREATE TABLE usage_share (
    account      bytea    NOT NULL,
    kind         smallint NOT NULL,
    holder       bytea    NOT NULL,  -- PeerId of an author, or an app
    stored_bytes bigint   NOT NULL,
    PRIMARY KEY (account, kind, holder)
) WITH (fillfactor = 50);

-- Documents whose hosting ended. Pushed again, a log begins with this generation, of size 0 (docs/protocol/log.md §6.6).
CREATE TABLE deleted (
    doc    bytea   NOT NULL PRIMARY KEY,
    number bigint  NOT NULL,
    micros bigint  NOT NULL,
    purged boolean NOT NULL          -- false while entries remain
);

CREATE INDEX deleted_unpurged ON deleted (doc) WHERE NOT purged;
