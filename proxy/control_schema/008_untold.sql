-- How an operation ended is recorded in the audit file behind the commit that ends it.  A runner may be killed between the
-- two: what stands here is still to be told, by whoever runs next.

ALTER TABLE fieldgate.operations ADD COLUMN untold text[] NOT NULL DEFAULT '{}';

CREATE INDEX operations_untold ON fieldgate.operations (touched_at) WHERE untold <> '{}';
