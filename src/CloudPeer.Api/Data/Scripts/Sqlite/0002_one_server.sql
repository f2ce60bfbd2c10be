-- One database has one server: of two that start with different keys at the same moment, one is refused.
ALTER TABLE server ADD COLUMN one INTEGER NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX server_one ON server (one);
