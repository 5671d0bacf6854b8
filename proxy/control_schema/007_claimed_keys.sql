-- An idempotency key is claimed before anything is done, so that nothing can be done twice when its answer is lost: a row
-- without status and body is of a request that is being carried out, or whose answer nobody knows.

ALTER TABLE fieldgate.admin_answers ALTER COLUMN status DROP NOT NULL, ALTER COLUMN body DROP NOT NULL,
    ADD CHECK ((status IS NULL) = (body IS NULL));
