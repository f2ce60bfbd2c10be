CREATE TABLE tenant (
  account        BLOB    NOT NULL PRIMARY KEY,
  device         BLOB    NOT NULL UNIQUE,
  card           BLOB    NOT NULL,
  kem_generation INTEGER NOT NULL,
  app_id         TEXT,
  plan           TEXT    NOT NULL,
  created_micros INTEGER NOT NULL
) STRICT;
