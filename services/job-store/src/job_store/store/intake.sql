-- lock_intake --
-- In key order, before wallets. Whoever waits here reads what the one before has made: the count comes after.
INSERT INTO pacing (key, tat) SELECT unnest($1::text[]), 'epoch' ORDER BY 1
ON CONFLICT (key) DO UPDATE SET tat = pacing.tat RETURNING key, tat

-- open_jobs --
SELECT 'user:' || j.bot || ':' || j.user_id AS key, count(*) AS open_jobs,
    count(*) FILTER (WHERE j.price > 0) AS open_holds, min(j.created_at) AS oldest_at
FROM unnest($1::text[], $2::bigint[]) AS n (bot, user_id)
JOIN jobs j ON j.bot = n.bot AND j.user_id = n.user_id
WHERE j.ended_at IS NULL AND j.state IN ('created', 'submitting', 'running') GROUP BY j.bot, j.user_id
UNION ALL
SELECT 'intake:' || bot, count(*), count(*) FILTER (WHERE price > 0), min(created_at)
FROM jobs WHERE bot = ANY($3::text[]) AND state IN ('created', 'submitting', 'running') GROUP BY bot

-- save_intake --
UPDATE pacing p SET tat = n.tat FROM unnest($1::text[], $2::timestamptz[]) AS n (key, tat) WHERE p.key = n.key
