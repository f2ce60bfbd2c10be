-- Log generations: each begins when the database was restored from a backup (docs/protocol/log.md §6).

CREATE TABLE generation (
    number bigint NOT NULL PRIMARY KEY,
    micros bigint NOT NULL
);

-- What each log was then; a document without a row came later.
CREATE TABLE restored (
    doc      bytea  NOT NULL,
    number   bigint NOT NULL,
    frontier bytea  NOT NULL,
    PRIMARY KEY (doc, number)
);
