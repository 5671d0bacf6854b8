-- One code over all keys and the revision's number, beside each row's own: a row that was removed, or put back as it
-- once was, is noticed by it (keys/records.py).  NULL: no store of keys has been made yet.

ALTER TABLE fieldgate.keys_revision ADD COLUMN code bytea CHECK (octet_length(code) = 32);
