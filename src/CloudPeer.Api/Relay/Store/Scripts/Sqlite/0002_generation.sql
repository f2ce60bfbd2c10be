-- Log generations: each begins when the database was restored from a backup (docs/protocol/log.md §6).

CREATE TABLE generation (
    number INTEGER NOT NULL PRIMARY KEY,
    micros INTEGER NOT NULL
) STRICT;

-- What each log was then; a document without a row came later.
CREATE TABLE restored (
    doc      BLOB    NOT NULL,
    number   INTEGER NOT NULL,
    frontier BLOB    NOT NULL,
    PRIMARY KEY (doc, number)
) STRICT, WITHOUT ROWID;
