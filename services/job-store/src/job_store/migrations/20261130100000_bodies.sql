-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- A report stays, its raw body goes.
ALTER TABLE sendonce.reports ADD COLUMN IF NOT EXISTS body_gone_at timestamptz;

-- migrate:down
ALTER TABLE sendonce.reports DROP COLUMN body_gone_at;
