-- migrate:up

-- Who cannot have a lock soon gives up: whoever comes after a waiting change of a table waits behind it.
SET LOCAL lock_timeout = '4s';
SET LOCAL statement_timeout = '30s';

-- What was said of an attempt may lose words; nothing else of it ever changes, and nothing is added.
DROP TRIGGER evidence_insert_only ON sendonce.evidence;
CREATE TRIGGER evidence_insert_only BEFORE UPDATE ON sendonce.evidence FOR EACH ROW
    WHEN (to_jsonb(OLD) - 'detail' <> to_jsonb(NEW) - 'detail' OR NOT OLD.detail @> NEW.detail)
    EXECUTE FUNCTION sendonce.refuse_change();
CREATE OR REPLACE TRIGGER evidence_stays BEFORE DELETE ON sendonce.evidence
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();

-- migrate:down
DROP TRIGGER evidence_stays ON sendonce.evidence;
DROP TRIGGER evidence_insert_only ON sendonce.evidence;
CREATE TRIGGER evidence_insert_only BEFORE UPDATE OR DELETE ON sendonce.evidence
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();
