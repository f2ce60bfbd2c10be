CREATE TABLE tenant (
  account        BYTEA  NOT NULL PRIMARY KEY,
  device         BYTEA  NOT NULL UNIQUE,
  card           BYTEA  NOT NULL,
  kem_generation BIGINT NOT NULL,
  app_id         TEXT,
  plan           TEXT   NOT NULL,
  created_micros BIGINT NOT NULL
);
