-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- A person may know that a result stands in its chat, and not in which message.
ALTER TABLE sendonce.parts DROP CONSTRAINT IF EXISTS parts_check;
ALTER TABLE sendonce.parts DROP CONSTRAINT IF EXISTS parts_shown;
ALTER TABLE sendonce.parts ADD CONSTRAINT parts_shown CHECK (state <> 'shown' OR shown_at IS NOT NULL) NOT VALID;

-- migrate:down
ALTER TABLE sendonce.parts DROP CONSTRAINT parts_shown;
ALTER TABLE sendonce.parts ADD CONSTRAINT parts_check CHECK (
    state <> 'shown' OR (message_id IS NOT NULL AND shown_at IS NOT NULL)) NOT VALID;
