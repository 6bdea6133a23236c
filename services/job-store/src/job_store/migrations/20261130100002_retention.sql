-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- Content goes, its job stays. When what a user asked for went, what they were shown, and where they are.
ALTER TABLE sendonce.jobs
    ADD COLUMN IF NOT EXISTS prompt_gone_at timestamptz,
    ADD COLUMN IF NOT EXISTS media_gone_at timestamptz,
    ADD COLUMN IF NOT EXISTS forgotten_at timestamptz;

-- migrate:down
ALTER TABLE sendonce.jobs DROP COLUMN forgotten_at, DROP COLUMN media_gone_at, DROP COLUMN prompt_gone_at;
