-- The secrets of data subjects, wrapped by a data key of purpose 'subject' (docs/keys.md, Destroying a subject's data).
-- `tag` is a keyed hash of the subject's key: whoever reads this table alone learns of nobody.  Rows are never deleted:
-- a destroyed secret leaves its tag behind, so that none is made again for the same subject.

CREATE TABLE fieldgate.subject_secrets (
    controller text NOT NULL,
    kind text NOT NULL,
    tag bytea NOT NULL CHECK (octet_length(tag) = 16),
    key_id bytea NOT NULL REFERENCES fieldgate.data_keys,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    PRIMARY KEY (controller, kind, tag),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE FUNCTION fieldgate.keep_subject_rows() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'secrets of data subjects are destroyed, not deleted' USING ERRCODE = '55000';
    END IF;
    IF OLD.controller <> NEW.controller OR OLD.kind <> NEW.kind OR OLD.tag <> NEW.tag THEN
        RAISE EXCEPTION 'whose secret it is never changes' USING ERRCODE = '55000';
    END IF;
    IF OLD.destroyed_at IS NOT NULL AND (NEW.wrapped IS NOT NULL OR NEW.destroyed_at IS DISTINCT FROM OLD.destroyed_at) THEN
        RAISE EXCEPTION 'a destroyed secret does not come back' USING ERRCODE = '55000';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER keep_subject_rows BEFORE UPDATE OR DELETE ON fieldgate.subject_secrets
    FOR EACH ROW EXECUTE FUNCTION fieldgate.keep_subject_rows();
