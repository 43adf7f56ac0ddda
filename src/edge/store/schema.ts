/** The SQLite schema, as a list of migrations: the database's user_version is how many have run. Append only. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    provisioner TEXT NOT NULL,
    thumbprint TEXT NOT NULL,
    jwk TEXT NOT NULL,
    contact TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deactivated_at INTEGER,
    UNIQUE (provisioner, thumbprint)
  ) STRICT;

  -- Numbers of orders and authorizations are in URLs, so a removed one must never come back.
  CREATE TABLE acme_order (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    provisioner TEXT NOT NULL,
    identifiers TEXT NOT NULL,
    not_before INTEGER,
    not_after INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX acme_order_by_account ON acme_order (account_id);

  CREATE TABLE acme_authorization (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    identifier_type TEXT NOT NULL,
    identifier_value TEXT NOT NULL,
    token TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    attempt_type TEXT,
    attempt_started_at INTEGER,
    attempt_ended_at INTEGER,
    attempt_problem TEXT,
    attempt_detail TEXT,
    deactivated_at INTEGER
  ) STRICT;
  CREATE INDEX acme_authorization_by_order ON acme_authorization (order_id);
  CREATE INDEX acme_authorization_unfinished ON acme_authorization (id)
    WHERE attempt_type IS NOT NULL AND attempt_ended_at IS NULL;

  -- A row is written before its certificate is signed; der is filled in afterwards and tbs cleared.
  CREATE TABLE certificate (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    serial TEXT NOT NULL UNIQUE,
    once_key TEXT UNIQUE,
    issuer_key_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    names TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    profile TEXT NOT NULL,
    provisioner TEXT NOT NULL,
    account_id INTEGER,
    created_at INTEGER NOT NULL,
    tbs BLOB,
    der BLOB,
    fingerprint TEXT,
    abandoned_why TEXT
  ) STRICT;
  CREATE INDEX certificate_by_not_after ON certificate (not_after);
  CREATE INDEX certificate_unfinished ON certificate (id) WHERE der IS NULL AND abandoned_why IS NULL;

  CREATE TABLE certificate_name (name TEXT NOT NULL, certificate_id INTEGER NOT NULL) STRICT;
  CREATE INDEX certificate_name_by_name ON certificate_name (name);

  CREATE TABLE revocation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    certificate_id INTEGER NOT NULL UNIQUE,
    issuer_key_id TEXT NOT NULL,
    revoked_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    requested_by TEXT NOT NULL
  ) STRICT;
  CREATE INDEX revocation_by_issuer ON revocation (issuer_key_id);

  CREATE TABLE crl (
    number INTEGER NOT NULL,
    issuer_key_id TEXT NOT NULL,
    der BLOB NOT NULL,
    this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL,
    last_revocation_id INTEGER NOT NULL,
    PRIMARY KEY (issuer_key_id, number)
  ) STRICT;

  CREATE TABLE provisioner (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    default_lifetime_seconds INTEGER NOT NULL,
    max_lifetime_seconds INTEGER NOT NULL,
    public_key TEXT,
    encrypted_key TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE heartbeat (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
  `,
  // Which certificate an order replaces (RFC 9773 §5), as its identifier there.
  `
  ALTER TABLE acme_order ADD COLUMN replaces TEXT;
  CREATE INDEX acme_order_by_replaces ON acme_order (replaces) WHERE replaces IS NOT NULL;
  `,
  // Which certificate a renewal replaces.
  `
  ALTER TABLE certificate ADD COLUMN replaces_id INTEGER;
  `,
];
