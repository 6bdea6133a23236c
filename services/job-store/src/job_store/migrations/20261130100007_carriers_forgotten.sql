-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- In which chat a part stood is kept until its user is forgotten.
CREATE OR REPLACE FUNCTION sendonce.refuse_unless_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE OR REPLACE TRIGGER carriers_stay BEFORE DELETE ON sendonce.carriers
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_unless_forgotten();

-- migrate:down
DROP TRIGGER carriers_stay ON sendonce.carriers;
DROP TRIGGER carriers_insert_only ON sendonce.carriers;
CREATE TRIGGER carriers_insert_only BEFORE UPDATE OR DELETE ON sendonce.carriers
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();
DROP FUNCTION sendonce.refuse_unless_forgotten();
