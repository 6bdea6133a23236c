-- lock_due --
-- Jobs are locked, never waited for: a busy job is claimed by a later round. In the order of their slots;
-- of equal ones the older first, because ids are ordered by time.
SELECT e.id, e.job_id FROM effects e JOIN jobs j ON j.id = e.job_id
WHERE e.state = 'pending' AND e.due_at <= now()
    AND NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
ORDER BY e.due_at, e.id LIMIT $1 FOR UPDATE OF j SKIP LOCKED

-- see_due --
SELECT id, job_id FROM effects WHERE state = 'pending' AND due_at <= now()
    AND NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
ORDER BY due_at, id LIMIT $1

-- lock_leases_over --
SELECT e.id, e.job_id FROM effects e JOIN jobs j ON j.id = e.job_id
WHERE e.state = 'acting' AND e.lease_until < now()
    AND NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
ORDER BY e.lease_until LIMIT $1 FOR UPDATE OF j SKIP LOCKED

-- lock_overdue --
-- What nobody has begun to submit ends earlier, by the time ($2) a task may take.
SELECT id FROM jobs
WHERE state IN ('created', 'submitting', 'running') AND expires_at <= now() + $2::interval
    AND (expires_at <= now() OR state <> 'running' AND EXISTS (
        SELECT FROM effects e WHERE e.job_id = jobs.id AND e.kind = 'submit'
            AND e.state IN ('pending', 'acting') AND e.holder IS NULL))
    AND NOT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED

-- lock_parked --
SELECT j.id FROM jobs j
WHERE j.bot = $1 AND j.chat_id = $2
    AND EXISTS (SELECT FROM parts p WHERE p.job_id = j.id AND p.state = 'parked')
ORDER BY j.id FOR UPDATE OF j

-- attempts_by_id --
SELECT id, effect_id, job_id FROM attempts WHERE id = ANY($1::uuid[])

-- known_evidence --
SELECT id FROM evidence WHERE id = ANY($1::text[])

-- insert_evidence --
INSERT INTO evidence (id, attempt_id, job_id, kind, detail, moved)
SELECT * FROM json_to_recordset($1::text::json)
    AS n (id text, attempt_id uuid, job_id uuid, kind text, detail jsonb, moved boolean)
ON CONFLICT DO NOTHING
