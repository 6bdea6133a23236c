-- kept --
-- Every row about a user, of one table if named. What has no user in it, or is gone within the hour, is not among them.
WITH mine AS (SELECT id FROM jobs WHERE bot = $1 AND user_id = $2)
SELECT name, row FROM (
    SELECT 'wallets' AS name, currency AS key, to_jsonb(t) AS row FROM wallets t WHERE bot = $1 AND user_id = $2
    UNION ALL
    SELECT 'ledger', lpad(id::text, 20, '0'), to_jsonb(t) FROM ledger t WHERE bot = $1 AND user_id = $2
    UNION ALL
    SELECT 'jobs', id::text, to_jsonb(t) FROM jobs t WHERE bot = $1 AND user_id = $2
    UNION ALL
    SELECT 'parts', job_id || ' ' || delivery_no || ' ' || lpad(ordinal::text, 5, '0'), to_jsonb(t)
        FROM parts t WHERE job_id IN (SELECT id FROM mine)
    UNION ALL
    SELECT 'carriers', part_id || ' ' || no, to_jsonb(t) FROM carriers t
        WHERE part_id IN (SELECT p.id FROM parts p WHERE p.job_id IN (SELECT id FROM mine))
    UNION ALL
    SELECT 'effects', id::text, to_jsonb(t) FROM effects t WHERE job_id IN (SELECT id FROM mine)
    UNION ALL
    SELECT 'attempts', id::text, to_jsonb(t) FROM attempts t WHERE job_id IN (SELECT id FROM mine)
    UNION ALL
    SELECT 'evidence', id, to_jsonb(t) FROM evidence t WHERE job_id IN (SELECT id FROM mine)
    UNION ALL
    SELECT 'task_owners', job_id || ' ' || task_id, to_jsonb(t) FROM task_owners t
        WHERE job_id IN (SELECT id FROM mine)
    UNION ALL
    SELECT 'orphans', id::text, to_jsonb(t) FROM orphans t WHERE job_id IN (SELECT id FROM mine)
    UNION ALL
    SELECT 'reports', id, to_jsonb(t) FROM reports t WHERE job_id IN (SELECT id FROM mine)
    UNION ALL
    SELECT 'events', lpad(seq::text, 20, '0'), to_jsonb(t) FROM events t WHERE job_id IN (SELECT id FROM mine)
    UNION ALL
    SELECT 'audit', lpad(id::text, 20, '0'), to_jsonb(t) FROM audit t
        WHERE job_id IN (SELECT id FROM mine) OR target = 'user ' || $2::bigint || ' of bot ' || $1
) AS kept
WHERE $3::text IS NULL OR name = $3 ORDER BY name, key OFFSET $4 LIMIT $5

-- unforgotten --
-- First those that may be in the way: they are looked at before any other is emptied.
SELECT id FROM jobs j WHERE bot = $1 AND user_id = $2 AND forgotten_at IS NULL
ORDER BY state NOT IN ('created', 'submitting', 'running')
    AND NOT EXISTS (SELECT FROM effects e WHERE e.job_id = j.id AND e.state IN ('pending', 'acting', 'uncertain')), id
LIMIT $3

-- count_unforgotten --
SELECT count(*) FROM jobs WHERE bot = $1 AND user_id = $2 AND forgotten_at IS NULL
