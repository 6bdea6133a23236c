-- open_jobs --
-- Two halves, because each has its own index and what is over has none.
SELECT bot, state, count(*) AS jobs, extract(epoch FROM now() - min(created_at))::float8 AS oldest
FROM jobs WHERE state IN ('created', 'submitting', 'running') GROUP BY bot, state
UNION ALL
SELECT bot, state, count(*), extract(epoch FROM now() - min(created_at))::float8
FROM jobs WHERE state = 'succeeded' AND deliver GROUP BY bot, state

-- due_effects --
SELECT kind, count(*) AS due, extract(epoch FROM now() - min(due_at))::float8 AS latest
FROM effects WHERE state = 'pending' AND due_at <= now() GROUP BY kind

-- acting_effects --
SELECT kind, count(*) AS acting FROM effects WHERE state = 'acting' GROUP BY kind

-- unsettled_parts --
SELECT state, count(*) AS parts, extract(epoch FROM now() - min(made_at))::float8 AS oldest
FROM parts WHERE state IN ('uncertain', 'parked') GROUP BY state

-- waiting_orphans --
SELECT count(*) AS orphans, extract(epoch FROM now() - min(seen_at))::float8 AS oldest
FROM orphans WHERE state = 'waiting'

-- open_dead_letters --
SELECT count(*) FROM dead_letters WHERE settled_at IS NULL

-- stops --
SELECT key, needs_owner IS NOT NULL AS needs_owner FROM pacing
WHERE parked_until > now() AND (key LIKE 'bot:%' OR key LIKE 'creates:%')

-- paused_bots --
SELECT b.slug, p.key AS what FROM bots b, jsonb_each(b.pauses) p

-- is_held --
SELECT EXISTS (SELECT FROM restores WHERE resumed_at IS NULL)
