-- audit --
INSERT INTO audit (who, why, verb, target, job_id, detail)
SELECT $1, $2, $3, n.target, n.job_id, n.detail FROM json_to_recordset($4::text::json)
    AS n (target text, job_id uuid, detail text)

-- list_audit --
SELECT at, who, why, verb, target, detail FROM audit
WHERE $1::uuid IS NULL OR job_id = $1 ORDER BY id DESC LIMIT $2
