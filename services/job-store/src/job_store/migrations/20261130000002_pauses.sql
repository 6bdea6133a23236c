-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- What an operator stopped: `intake`, `submissions` or `deliveries`, and why.
ALTER TABLE sendonce.bots ADD COLUMN IF NOT EXISTS pauses jsonb NOT NULL DEFAULT '{}';

-- migrate:down
ALTER TABLE sendonce.bots DROP COLUMN pauses;
