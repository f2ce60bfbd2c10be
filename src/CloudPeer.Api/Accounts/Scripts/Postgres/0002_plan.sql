-- What an operator or a plan says about a tenant, and what its account says about apps (docs/protocol/sync.md §6).

ALTER TABLE tenant ADD COLUMN state TEXT NOT NULL DEFAULT 'active';

CREATE TABLE app_budget (
  account     BYTEA  NOT NULL REFERENCES tenant,
  app_id      TEXT   NOT NULL,
  limit_bytes BIGINT NOT NULL,
  PRIMARY KEY (account, app_id)
);
