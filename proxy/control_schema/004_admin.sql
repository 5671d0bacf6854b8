-- What the administration endpoints remember: bearer tokens (only the hash of each one's secret) and their answers, so
-- that a request that is sent twice is carried out once.

CREATE TABLE fieldgate.admin_tokens (
    token_id text PRIMARY KEY CHECK (token_id ~ '^[0-9a-f]{16}$'),
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    person text NOT NULL,
    roles text[] NOT NULL CHECK (cardinality(roles) > 0),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    revoked_at timestamptz
);

CREATE TABLE fieldgate.admin_answers (
    person text NOT NULL,
    idempotency_key text NOT NULL,
    request_digest bytea NOT NULL CHECK (octet_length(request_digest) = 32),
    status integer NOT NULL,
    body text NOT NULL,               -- names, counts and dates; never a value or a key
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person, idempotency_key)
);
