-- status_counts --
SELECT
    (SELECT count(*) FROM effects WHERE state = 'pending' AND due_at <= now()) AS effects_due,
    (SELECT count(*) FROM effects WHERE state = 'acting') AS effects_acting,
    (SELECT count(*) FROM parts WHERE state = 'uncertain') AS parts_uncertain,
    (SELECT count(*) FROM parts WHERE state = 'parked') AS parts_parked,
    (SELECT count(*) FROM effects e JOIN jobs j ON j.id = e.job_id
        WHERE e.kind = 'submit' AND e.state = 'uncertain' AND j.state = 'submitting') AS submissions_uncertain,
    (SELECT count(*) FROM effects e JOIN jobs j ON j.id = e.job_id
        WHERE e.kind = 'poll' AND e.state = 'pending' AND j.state = 'expired') AS late_polls,
    (SELECT count(*) FROM orphans WHERE state = 'waiting') AS orphans_waiting,
    (SELECT count(*) FROM dead_letters WHERE settled_at IS NULL) AS dead_letters,
    (SELECT count(*) FROM outbox) AS outbox_rows,
    (SELECT extract(epoch FROM now() - min(at))::float8 FROM outbox) AS outbox_oldest_seconds,
    (SELECT count(*) FROM reports WHERE origin = 'callback') AS callbacks,
    (SELECT count(*) FROM reports WHERE origin = 'poll') AS polls,
    now() AS at

-- status_bots --
-- Succeeded is an end where nothing is to be shown: what is open has no end.
SELECT b.slug, j.state, count(j.id) AS jobs, count(j.id) FILTER (WHERE j.ended_at IS NULL) AS open,
    extract(epoch FROM now() - min(j.created_at) FILTER (WHERE j.ended_at IS NULL))::float8 AS oldest
FROM bots b LEFT JOIN jobs j ON j.bot = b.slug
GROUP BY b.slug, j.state ORDER BY b.slug

-- status_pauses --
SELECT b.slug, p.key AS what, p.value AS why FROM bots b, jsonb_each_text(b.pauses) p ORDER BY b.slug, p.key

-- status_paused --
SELECT key, needs_owner, parked_until FROM pacing WHERE needs_owner IS NOT NULL AND parked_until > now() ORDER BY key

-- status_told_to_wait --
SELECT split_part(key, ':', 1) AS kind, count(*) AS waiting FROM pacing
WHERE needs_owner IS NULL AND parked_until > now() GROUP BY 1 ORDER BY 1

-- status_credits --
SELECT substr(key, length('creates:') + 1) AS account, credits FROM pacing
WHERE key LIKE 'creates:%' AND credits IS NOT NULL ORDER BY 1
