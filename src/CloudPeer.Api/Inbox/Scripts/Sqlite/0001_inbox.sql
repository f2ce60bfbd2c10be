CREATE TABLE inbox (
  account  BLOB    NOT NULL PRIMARY KEY,
  received INTEGER NOT NULL
) STRICT;
CREATE TABLE inbox_message (
  number          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  account         BLOB    NOT NULL,
  message         BLOB    NOT NULL,
  sender          BLOB    NOT NULL,
  bytes           BLOB    NOT NULL,
  received_micros INTEGER NOT NULL,
  UNIQUE (account, message)
) STRICT;
CREATE INDEX inbox_message_age ON inbox_message (received_micros);
