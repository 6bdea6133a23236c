-- lock_intake --
-- In key order, before wallets. Whoever waits here reads what the one before has made: the count comes after.
INSERT INTO pacing (key, tat) SELECT unnest($1::text[]), 'epoch' ORDER BY 1
ON CONFLICT (key) DO UPDATE SET tat = pacing.tat RETURNING key, tat

-- open_jobs --
-- Of users said so that only their own index can find them: another would be read whole for each of them.
SELECT 'user:' || n.bot || ':' || n.user_id AS key, o.*
FROM unnest($1::text[], $2::bigint[]) AS n (bot, user_id), LATERAL (
    SELECT count(*) AS open_jobs, count(*) FILTER (WHERE price > 0) AS open_holds, min(created_at) AS oldest_at
    FROM jobs j WHERE j.bot = n.bot AND j.user_id = n.user_id AND j.ended_at IS NULL AND j.state <> 'succeeded') AS o
UNION ALL
SELECT 'intake:' || bot, count(*), count(*) FILTER (WHERE price > 0), min(created_at)
FROM jobs WHERE bot = ANY($3::text[]) AND state IN ('created', 'submitting', 'running') GROUP BY bot

-- save_intake --
UPDATE pacing p SET tat = n.tat FROM unnest($1::text[], $2::timestamptz[]) AS n (key, tat) WHERE p.key = n.key
