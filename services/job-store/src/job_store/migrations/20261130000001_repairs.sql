-- migrate:up

-- What operators changed by hand: part of the story of every job it touched, for ever.
CREATE TABLE sendonce.audit (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT now(),
    who    text NOT NULL CHECK (who <> ''),
    why    text NOT NULL CHECK (why <> ''),
    verb   text NOT NULL,
    target text NOT NULL,
    job_id uuid,
    detail text NOT NULL DEFAULT ''
);
CREATE INDEX audit_of_job ON sendonce.audit (job_id) WHERE job_id IS NOT NULL;
CREATE TRIGGER audit_insert_only BEFORE UPDATE OR DELETE ON sendonce.audit
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();

-- What an operator stopped: `intake`, `submissions` or `deliveries`, and why.
ALTER TABLE sendonce.bots ADD COLUMN pauses jsonb NOT NULL DEFAULT '{}';

-- A dead letter stays as evidence of what was acknowledged; whoever saw to it says how.
ALTER TABLE sendonce.dead_letters ADD COLUMN settled_at timestamptz;
ALTER TABLE sendonce.dead_letters ADD COLUMN settled_as text;
ALTER TABLE sendonce.dead_letters ADD CONSTRAINT dead_letters_settled CHECK (
    (settled_at IS NULL) = (settled_as IS NULL) AND settled_as IN ('replayed', 'discarded')) NOT VALID;
CREATE INDEX dead_letters_open ON sendonce.dead_letters (id) WHERE settled_at IS NULL;

-- A delivered job may be paid back, and what was paid back may be shown after all. Wider than the one before,
-- so no row can break it.
ALTER TABLE sendonce.jobs DROP CONSTRAINT jobs_check5;
ALTER TABLE sendonce.jobs ADD CONSTRAINT jobs_paid_for CHECK (
    state NOT IN ('succeeded', 'delivered') OR money IN ('none', 'captured', 'waived', 'refunded')) NOT VALID;

-- A person may know that a result stands in its chat, and not in which message.
ALTER TABLE sendonce.parts DROP CONSTRAINT parts_check;
ALTER TABLE sendonce.parts ADD CONSTRAINT parts_shown CHECK (state <> 'shown' OR shown_at IS NOT NULL) NOT VALID;

-- migrate:down
ALTER TABLE sendonce.parts DROP CONSTRAINT parts_shown;
ALTER TABLE sendonce.parts ADD CONSTRAINT parts_check CHECK (
    state <> 'shown' OR (message_id IS NOT NULL AND shown_at IS NOT NULL)) NOT VALID;
ALTER TABLE sendonce.jobs DROP CONSTRAINT jobs_paid_for;
ALTER TABLE sendonce.jobs ADD CONSTRAINT jobs_check5 CHECK (
    state NOT IN ('succeeded', 'delivered') OR money IN ('none', 'captured', 'waived')) NOT VALID;
ALTER TABLE sendonce.dead_letters DROP COLUMN settled_as;
ALTER TABLE sendonce.dead_letters DROP COLUMN settled_at;
ALTER TABLE sendonce.bots DROP COLUMN pauses;
DROP TABLE sendonce.audit;
