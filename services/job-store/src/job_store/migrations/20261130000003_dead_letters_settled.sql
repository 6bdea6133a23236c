-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- A dead letter stays as evidence of what was acknowledged; whoever saw to it says how.
ALTER TABLE sendonce.dead_letters ADD COLUMN IF NOT EXISTS settled_at timestamptz;
ALTER TABLE sendonce.dead_letters ADD COLUMN IF NOT EXISTS settled_as text;
ALTER TABLE sendonce.dead_letters DROP CONSTRAINT IF EXISTS dead_letters_settled;
ALTER TABLE sendonce.dead_letters ADD CONSTRAINT dead_letters_settled CHECK (
    (settled_at IS NULL) = (settled_as IS NULL) AND settled_as IN ('replayed', 'discarded')) NOT VALID;
CREATE INDEX IF NOT EXISTS dead_letters_open ON sendonce.dead_letters (id) WHERE settled_at IS NULL;

-- migrate:down
ALTER TABLE sendonce.dead_letters DROP COLUMN settled_as;
ALTER TABLE sendonce.dead_letters DROP COLUMN settled_at;
