-- The wrapped data keys of the control database (docs/keys.md).  Rows are never deleted: a destroyed key leaves its id and
-- dates behind, so that no id is ever used again.  Each row's `code` (HMAC under the store's own key) covers what a
-- proxy acts on: id, slot, epoch, state, KEK and wrapped bytes; counters are not covered.

CREATE TABLE fieldgate.data_keys (
    key_id bytea PRIMARY KEY CHECK (octet_length(key_id) = 8),
    controller text NOT NULL,
    scope text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('cell', 'term', 'ledger', 'subject')),
    epoch integer NOT NULL CHECK (epoch >= 1),
    state text NOT NULL CHECK (state IN ('pre-active', 'active', 'decrypt-only', 'disabled', 'destroyed')),
    kek_uri text,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    activated_at timestamptz,
    retired_at timestamptz,
    disabled_at timestamptz,
    destroyed_at timestamptz,
    seals_granted bigint NOT NULL DEFAULT 0 CHECK (seals_granted BETWEEN 0 AND 4294967296),
    code bytea NOT NULL CHECK (octet_length(code) = 32),
    UNIQUE (controller, scope, purpose, epoch),
    CHECK ((state = 'destroyed') = (wrapped IS NULL)),
    CHECK ((wrapped IS NULL) = (kek_uri IS NULL))
);

CREATE UNIQUE INDEX data_keys_one_active ON fieldgate.data_keys (controller, scope, purpose) WHERE state = 'active';

CREATE FUNCTION fieldgate.keep_key_rows() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'keys are destroyed, not deleted: their ids must stay known' USING ERRCODE = '55000';
    END IF;
    IF OLD.key_id <> NEW.key_id OR OLD.controller <> NEW.controller OR OLD.scope <> NEW.scope
        OR OLD.purpose <> NEW.purpose OR OLD.epoch <> NEW.epoch THEN
        RAISE EXCEPTION 'what a key is for never changes' USING ERRCODE = '55000';
    END IF;
    IF OLD.state = 'destroyed' AND NEW.state <> 'destroyed' THEN
        RAISE EXCEPTION 'a destroyed key does not come back' USING ERRCODE = '55000';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER keep_key_rows BEFORE UPDATE OR DELETE ON fieldgate.data_keys
    FOR EACH ROW EXECUTE FUNCTION fieldgate.keep_key_rows();

-- Counts up with each change of keys; proxies confirm the number that they have loaded.
CREATE TABLE fieldgate.keys_revision (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number bigint NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO fieldgate.keys_revision DEFAULT VALUES;

-- One row for each process that holds keys.  A process that has not confirmed within its lease stops serving protected
-- fields by its own clock, so a row whose lease has passed needs no waiting for.
CREATE TABLE fieldgate.key_holders (
    holder_id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    confirmed_revision bigint NOT NULL,
    lease_until timestamptz NOT NULL
);

CREATE TABLE fieldgate.key_uses (
    key_id bytea NOT NULL REFERENCES fieldgate.data_keys,
    day date NOT NULL,
    sealed bigint NOT NULL DEFAULT 0 CHECK (sealed >= 0),
    opened bigint NOT NULL DEFAULT 0 CHECK (opened >= 0),
    PRIMARY KEY (key_id, day)
);
