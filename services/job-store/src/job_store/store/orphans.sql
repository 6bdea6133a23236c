-- orphans_of_tasks --
-- An expired orphan is still matchable.
SELECT id, task_id FROM orphans WHERE task_id = ANY($1::text[]) AND state <> 'matched' ORDER BY id FOR UPDATE

-- reports_of_orphans --
SELECT task_id, trust, message FROM reports WHERE task_id = ANY($1::text[]) AND job_id IS NULL ORDER BY received_at

-- match_orphan --
UPDATE orphans SET state = 'matched', job_id = $2, matched_at = clock_timestamp() WHERE id = $1 AND state <> 'matched'

-- adopt_reports --
UPDATE reports SET job_id = $2 WHERE task_id = $1 AND job_id IS NULL

-- keep_orphans --
-- A callback that comes again wakes an expired orphan.
INSERT INTO orphans (id, task_id, state)
SELECT i, t, 'waiting' FROM unnest($1::uuid[], $2::text[]) AS n (i, t)
ON CONFLICT (task_id) DO UPDATE SET state = 'waiting', seen_at = now() WHERE orphans.state = 'expired'
RETURNING id, task_id

-- expire_orphans --
-- An array: to IN the planner answers with a scan of every orphan there ever was.
UPDATE orphans SET state = 'expired'
WHERE id = ANY(ARRAY(
    SELECT id FROM orphans WHERE state = 'waiting' AND seen_at < now() - $1::interval
    ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING id, task_id
