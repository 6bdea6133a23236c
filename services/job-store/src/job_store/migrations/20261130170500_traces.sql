-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- W3C trace contexts of causes: what is sent later still belongs to what made it due.
ALTER TABLE sendonce.outbox ADD COLUMN IF NOT EXISTS trace text;

-- migrate:down
ALTER TABLE sendonce.outbox DROP COLUMN trace;
