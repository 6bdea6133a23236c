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
SELECT count(*) AS letters FROM dead_letters WHERE settled_at IS NULL

-- undelivered_parts --
-- What waits for nobody but us: not for a user who is away, nor for a person who must look.
SELECT j.bot, count(*) AS parts, extract(epoch FROM now() - min(p.made_at))::float8 AS oldest
FROM jobs j JOIN parts p ON p.job_id = j.id
WHERE j.state = 'succeeded' AND j.deliver AND p.state IN ('pending', 'carried')
    AND NOT EXISTS (SELECT FROM parts w WHERE w.job_id = j.id AND w.state IN ('parked', 'uncertain'))
GROUP BY j.bot

-- uncertain_submissions --
SELECT count(*) AS submissions FROM jobs j
WHERE j.state = 'submitting'
    AND EXISTS (SELECT FROM effects e WHERE e.job_id = j.id AND e.kind = 'submit' AND e.state = 'uncertain')

-- open_holds --
SELECT bot, currency, count(*) AS jobs, sum(price)::float8 AS amount,
    extract(epoch FROM now() - min(created_at))::float8 AS oldest
FROM jobs WHERE state IN ('created', 'submitting', 'running') AND money = 'held' GROUP BY bot, currency

-- waiting_outbox --
SELECT count(*) AS messages, extract(epoch FROM now() - min(at))::float8 AS oldest FROM outbox

-- pacing_lines --
SELECT split_part(key, ':', 1) AS bucket, count(*) FILTER (WHERE tail > now()) AS lines,
    greatest(extract(epoch FROM max(tail) - now()), 0)::float8 AS longest,
    count(*) FILTER (WHERE parked_until > now()) AS parked
FROM pacing GROUP BY 1

-- stops --
SELECT key, (needs_owner IS NOT NULL)::text AS needs_owner, 1 AS stopped FROM pacing
WHERE parked_until > now() AND (key LIKE 'bot:%' OR key LIKE 'creates:%')

-- paused_bots --
SELECT b.slug AS bot, p.key AS what, 1 AS paused FROM bots b, jsonb_each(b.pauses) p

-- restores --
SELECT count(*) AS held FROM restores WHERE resumed_at IS NULL

-- bots --
SELECT slug FROM bots
