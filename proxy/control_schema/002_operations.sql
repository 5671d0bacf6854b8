-- Work over keys that takes longer than a request: what was asked for, by whom, who approved it, and how far it is.
-- A job runner carries it out; `wanted` is how people steer it, `state` is where it stands.

CREATE TABLE fieldgate.operations (
    operation_id uuid PRIMARY KEY,
    kind text NOT NULL,
    target jsonb NOT NULL,            -- names only: database, field, scope, key id; never a value
    state text NOT NULL CHECK (state IN ('awaiting-approval', 'queued', 'running', 'paused', 'done', 'failed', 'cancelled')),
    wanted text NOT NULL DEFAULT 'run' CHECK (wanted IN ('run', 'pause', 'cancel')),
    step text NOT NULL DEFAULT '',
    done bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
    total bigint NOT NULL DEFAULT 0 CHECK (total >= 0),
    rate double precision NOT NULL DEFAULT 0,
    problem text,                     -- a neutral sentence, when it failed
    result jsonb,                     -- a report of names, counts and dates
    requested_by text NOT NULL,
    approved_by text CHECK (approved_by <> requested_by),
    not_before timestamptz,           -- two-phase destruction: not carried out earlier
    idempotency_key text NOT NULL,
    request_digest bytea NOT NULL CHECK (octet_length(request_digest) = 32),
    locks text[] NOT NULL DEFAULT '{}',      -- the names in operation_locks that it holds from queued to its end
    attempt integer NOT NULL DEFAULT 0,      -- counts claims; a runner whose claim is an older one may not write here
    touched_at timestamptz,                  -- when its runner was last heard of
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    UNIQUE (requested_by, idempotency_key)
);

CREATE INDEX operations_by_time ON fieldgate.operations (created_at DESC, operation_id DESC);
CREATE INDEX operations_open ON fieldgate.operations (state) WHERE state IN ('queued', 'running', 'paused');

-- One transition of one thing at a time: what an operation changes (a field, a key, all wrappings), by name.
CREATE TABLE fieldgate.operation_locks (
    name text PRIMARY KEY,
    operation_id uuid NOT NULL REFERENCES fieldgate.operations
);
