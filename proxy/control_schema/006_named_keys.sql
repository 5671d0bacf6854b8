-- People choose idempotency keys, and may put names into them: only their SHA-256 is kept, in hexadecimal digits.  The
-- proxy's own requests are keyed by what is rotated, and stay as they are.

UPDATE fieldgate.operations
    SET idempotency_key = pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(idempotency_key, 'UTF8')), 'hex')
    WHERE requested_by <> 'fieldgate';

UPDATE fieldgate.admin_answers
    SET idempotency_key = pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(idempotency_key, 'UTF8')), 'hex');
