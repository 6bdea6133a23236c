-- status_counts --
SELECT
    (SELECT count(*) FROM effects WHERE state = 'pending' AND due_at <= now()) AS effects_due,
    (SELECT count(*) FROM effects WHERE state = 'acting') AS effects_acting,
    (SELECT count(*) FROM parts WHERE state = 'uncertain') AS parts_uncertain,
    (SELECT count(*) FROM parts WHERE state = 'parked') AS parts_parked,
    (SELECT count(*) FROM effects e JOIN jobs j ON j.id = e.job_id
        WHERE e.kind = 'submit' AND e.state = 'uncertain' AND j.state = 'submitting') AS submissions_uncertain,
    (SELECT count(*) FROM orphans WHERE state = 'waiting') AS orphans_waiting,
    (SELECT count(*) FROM dead_letters) AS dead_letters,
    (SELECT count(*) FROM outbox) AS outbox_rows,
    (SELECT extract(epoch FROM now() - min(at))::float8 FROM outbox) AS outbox_oldest_seconds,
    (SELECT count(*) FROM reports WHERE origin = 'callback') AS callbacks,
    (SELECT count(*) FROM reports WHERE origin = 'poll') AS polls,
    now() AS at

-- status_bots --
SELECT b.slug, j.state, count(j.id) AS jobs,
    extract(epoch FROM now() - min(j.created_at))::float8 AS oldest
FROM bots b LEFT JOIN jobs j ON j.bot = b.slug
GROUP BY b.slug, j.state ORDER BY b.slug

-- status_paused --
SELECT key, needs_owner, parked_until FROM pacing WHERE needs_owner IS NOT NULL AND parked_until > now() ORDER BY key

-- doctor_ledger_unbalanced --
-- Every wallet equals the sum of its transfers.
SELECT w.bot || '/' || w.user_id || '/' || w.currency AS what FROM wallets w
LEFT JOIN LATERAL (
    SELECT coalesce(sum(CASE 'balance' WHEN l.credit THEN l.amount WHEN l.debit THEN -l.amount ELSE 0 END), 0) AS b,
        coalesce(sum(CASE 'held' WHEN l.credit THEN l.amount WHEN l.debit THEN -l.amount ELSE 0 END), 0) AS h
    FROM ledger l WHERE (l.bot, l.user_id, l.currency) = (w.bot, w.user_id, w.currency)) s ON true
WHERE w.balance <> s.b OR w.held <> s.h

-- doctor_holds_without_open_job --
-- What is held equals the prices of the jobs whose money is held.
SELECT w.bot || '/' || w.user_id || '/' || w.currency AS what FROM wallets w
WHERE w.held <> (SELECT coalesce(sum(j.price), 0) FROM jobs j
    WHERE (j.bot, j.user_id, j.currency) = (w.bot, w.user_id, w.currency) AND j.money = 'held')

-- doctor_shown_twice --
SELECT job_id::text AS what FROM parts WHERE showings > 1

-- doctor_uncertain_parts --
SELECT job_id::text AS what FROM parts WHERE state = 'uncertain'

-- doctor_job_without_clock --
-- Every open job has a pending or acting effect, or a deadline ahead of it.
SELECT j.id::text AS what FROM jobs j
WHERE j.state IN ('created', 'submitting', 'running') AND j.expires_at < now() - interval '1 minute'

-- doctor_succeeded_without_effect --
SELECT j.id::text AS what FROM jobs j
WHERE j.state = 'succeeded' AND j.deliver
    AND NOT EXISTS (SELECT FROM effects e WHERE e.job_id = j.id AND e.kind IN ('show', 'send')
        AND e.state IN ('pending', 'acting', 'uncertain', 'parked'))

-- doctor_lease_over --
SELECT job_id::text AS what FROM effects WHERE state = 'acting' AND lease_until < now() - interval '1 minute'

-- doctor_effect_overdue --
SELECT job_id::text AS what FROM effects WHERE state = 'pending' AND due_at < now() - interval '10 minutes'

-- doctor_outbox_stuck --
SELECT id::text AS what FROM outbox WHERE at < now() - interval '1 minute'

-- doctor_orphans_overdue --
SELECT task_id AS what FROM orphans WHERE state = 'waiting' AND seen_at < now() - $1::interval

-- doctor_dead_letters --
SELECT id::text AS what FROM dead_letters
