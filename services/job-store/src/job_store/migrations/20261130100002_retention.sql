-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- Content goes, its job stays. When what a user asked for went, what they were shown, and where they are.
ALTER TABLE sendonce.jobs
    ADD COLUMN prompt_gone_at timestamptz,
    ADD COLUMN media_gone_at timestamptz,
    ADD COLUMN forgotten_at timestamptz;
ALTER TABLE sendonce.reports ADD COLUMN body_gone_at timestamptz;

-- What was said of an attempt may lose words; nothing else of it ever changes, and nothing is added.
DROP TRIGGER evidence_insert_only ON sendonce.evidence;
CREATE TRIGGER evidence_insert_only BEFORE UPDATE ON sendonce.evidence FOR EACH ROW
    WHEN (to_jsonb(OLD) - 'detail' <> to_jsonb(NEW) - 'detail' OR NOT OLD.detail @> NEW.detail)
    EXECUTE FUNCTION sendonce.refuse_change();
CREATE TRIGGER evidence_stays BEFORE DELETE ON sendonce.evidence
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();

-- In which chat a part stood is kept until its user is forgotten.
CREATE FUNCTION sendonce.refuse_unless_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM sendonce.parts p JOIN sendonce.jobs j ON j.id = p.job_id
        WHERE p.id = OLD.part_id AND j.forgotten_at IS NOT NULL) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER carriers_insert_only ON sendonce.carriers;
CREATE TRIGGER carriers_insert_only BEFORE UPDATE ON sendonce.carriers
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();
CREATE TRIGGER carriers_stay BEFORE DELETE ON sendonce.carriers
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_unless_forgotten();

-- migrate:down
DROP TRIGGER carriers_stay ON sendonce.carriers;
DROP TRIGGER carriers_insert_only ON sendonce.carriers;
CREATE TRIGGER carriers_insert_only BEFORE UPDATE OR DELETE ON sendonce.carriers
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();
DROP FUNCTION sendonce.refuse_unless_forgotten();
DROP TRIGGER evidence_stays ON sendonce.evidence;
DROP TRIGGER evidence_insert_only ON sendonce.evidence;
CREATE TRIGGER evidence_insert_only BEFORE UPDATE OR DELETE ON sendonce.evidence
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();
ALTER TABLE sendonce.reports DROP COLUMN body_gone_at;
ALTER TABLE sendonce.jobs DROP COLUMN forgotten_at, DROP COLUMN media_gone_at, DROP COLUMN prompt_gone_at;
