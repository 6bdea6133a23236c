-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- What a KIE account had left when its last submission ended, for the operator's screen.
ALTER TABLE sendonce.pacing ADD COLUMN credits float8;

-- migrate:down
ALTER TABLE sendonce.pacing DROP COLUMN credits;
