-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- A delivered job may be paid back, and what was paid back may be shown after all. Wider than the one before,
-- so no row can break it.
ALTER TABLE sendonce.jobs DROP CONSTRAINT IF EXISTS jobs_check5;
ALTER TABLE sendonce.jobs DROP CONSTRAINT IF EXISTS jobs_paid_for;
ALTER TABLE sendonce.jobs ADD CONSTRAINT jobs_paid_for CHECK (
    state NOT IN ('succeeded', 'delivered') OR money IN ('none', 'captured', 'waived', 'refunded')) NOT VALID;

-- migrate:down
ALTER TABLE sendonce.jobs DROP CONSTRAINT jobs_paid_for;
ALTER TABLE sendonce.jobs ADD CONSTRAINT jobs_check5 CHECK (
    state NOT IN ('succeeded', 'delivered') OR money IN ('none', 'captured', 'waived')) NOT VALID;
