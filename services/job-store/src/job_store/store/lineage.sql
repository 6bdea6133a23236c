-- held --
SELECT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)

-- known --
-- What was acknowledged was committed first: as a report, as evidence, or as a dead letter.
SELECT id FROM reports WHERE id = ANY($1::text[])
UNION ALL SELECT id FROM evidence WHERE id = ANY($1::text[])
UNION ALL SELECT n.id FROM unnest($1::text[], $2::bigint[]) AS n (id, seq)
    JOIN dead_letters d ON d.durable = $3 AND d.stream_seq = n.seq

-- hold --
INSERT INTO restores (durable, missing) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id

-- open_restore --
SELECT id, found_at, phase, durable, missing FROM restores WHERE resumed_at IS NULL

-- move_on --
UPDATE restores SET phase = $2, resumed_at = CASE $2 WHEN 'over' THEN now() END
WHERE id = $1 AND resumed_at IS NULL

-- may_repeat --
-- What nobody has told of since, and would be done anew: a task made, a message posted.
SELECT DISTINCT j.id FROM jobs j JOIN effects e ON e.job_id = j.id LEFT JOIN parts p ON p.id = e.part_id
WHERE e.state IN ('pending', 'acting') AND j.created_at < $1
    AND (e.kind IN ('submit', 'send') OR (e.kind = 'show' AND p.message_id IS NULL))
ORDER BY j.id LIMIT $2

-- unknown_jobs --
-- Jobs that were made after the backup: their callbacks still come, signed by us.
SELECT DISTINCT r.message -> 'token' ->> 'job_id' AS id FROM reports r
WHERE r.job_id IS NULL AND r.message -> 'token' ->> 'verdict' = 'valid'
    AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = (r.message -> 'token' ->> 'job_id')::uuid)
ORDER BY 1 LIMIT $1
