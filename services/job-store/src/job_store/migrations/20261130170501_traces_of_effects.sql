-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- And what is done later.
ALTER TABLE sendonce.effects ADD COLUMN IF NOT EXISTS trace text;

-- migrate:down
ALTER TABLE sendonce.effects DROP COLUMN trace;
