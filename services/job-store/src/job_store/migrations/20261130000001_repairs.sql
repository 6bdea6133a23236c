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

-- migrate:down
DROP TABLE sendonce.audit;
