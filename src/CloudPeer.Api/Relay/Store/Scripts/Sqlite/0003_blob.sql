-- Large parts of snapshots lie in files: the row has no parts then, and the length and the tag of the file.

ALTER TABLE envelope ADD COLUMN blob_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE envelope ADD COLUMN blob_tag INTEGER NOT NULL DEFAULT 0;

-- To find files that no row refers to.
CREATE INDEX envelope_blob ON envelope (id) WHERE blob_bytes > 0;
