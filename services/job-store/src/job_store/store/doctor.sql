-- ledger_unbalanced --
-- Every wallet equals the sum of its transfers.
SELECT w.bot || '/' || w.user_id || '/' || w.currency AS what FROM wallets w
LEFT JOIN LATERAL (
    SELECT coalesce(sum(CASE 'balance' WHEN l.credit THEN l.amount WHEN l.debit THEN -l.amount ELSE 0 END), 0) AS b,
        coalesce(sum(CASE 'held' WHEN l.credit THEN l.amount WHEN l.debit THEN -l.amount ELSE 0 END), 0) AS h
    FROM ledger l WHERE (l.bot, l.user_id, l.currency) = (w.bot, w.user_id, w.currency)) s ON true
WHERE w.balance <> s.b OR w.held <> s.h

-- holds_without_open_job --
-- What is held equals the prices of the jobs whose money is held.
SELECT w.bot || '/' || w.user_id || '/' || w.currency AS what FROM wallets w
WHERE w.held <> (SELECT coalesce(sum(j.price), 0) FROM jobs j
    WHERE (j.bot, j.user_id, j.currency) = (w.bot, w.user_id, w.currency) AND j.money = 'held')

-- money_without_entry --
-- What a job's money is, and what the ledger says of it, are written in one transaction.
SELECT j.id::text AS what FROM jobs j
LEFT JOIN LATERAL (SELECT array_agg(l.kind) AS kinds FROM ledger l WHERE l.job_id = j.id) k ON true
WHERE j.money <> 'none' AND NOT coalesce(k.kinds @> CASE j.money
        WHEN 'held' THEN '{hold}' WHEN 'captured' THEN '{hold,capture}' WHEN 'refunded' THEN '{hold,capture,refund}'
        ELSE '{hold,release}' END::text[]
    AND cardinality(k.kinds) = CASE j.money WHEN 'held' THEN 1 WHEN 'refunded' THEN 3 ELSE 2 END, false)

-- shown_twice --
SELECT job_id::text AS what FROM parts WHERE showings > 1

-- uncertain_parts --
SELECT job_id::text AS what FROM parts WHERE state = 'uncertain'

-- evidence_dropped --
-- Whoever said that a result stands there was heard. What is older than a day was looked at then.
SELECT e.job_id::text AS what FROM evidence e
JOIN attempts a ON a.id = e.attempt_id JOIN effects f ON f.id = a.effect_id JOIN parts p ON p.id = f.part_id
WHERE e.at > now() - interval '1 day' AND e.kind IN ('done', 'sent') AND f.kind IN ('show', 'send')
    AND p.state <> 'shown'

-- report_dropped --
-- A success that was believed has ended the waiting; one that shows nothing, or was cut, is asked about first.
SELECT DISTINCT j.id::text AS what FROM jobs j JOIN reports r ON r.job_id = j.id
WHERE j.state IN ('created', 'submitting', 'running') AND r.trust = 'trusted' AND r.state = 'succeeded'
    AND NOT (r.message ->> 'truncated')::boolean
    AND EXISTS (SELECT FROM jsonb_array_elements(r.message #> '{reading,media}') AS m
        WHERE m ? 'url' OR m ->> 'text' ~ '\S')

-- orphan_with_owner --
-- A callback and whoever learns its task meet at the task's row, so an owned task leaves no orphan; unless a
-- report named another job, which is not known.
SELECT o.task_id AS what FROM orphans o JOIN task_owners t USING (task_id)
WHERE o.state = 'waiting' AND EXISTS (SELECT FROM reports r
    WHERE r.task_id = o.task_id AND r.job_id IS NULL AND coalesce(r.message ->> 'poll', '') = ''
        AND r.message -> 'token' ->> 'verdict' IS DISTINCT FROM 'valid')
GROUP BY o.task_id HAVING count(DISTINCT t.job_id) = 1

-- sent_without_begin --
-- What cannot be edited is sent by whoever asked first.
SELECT e.job_id::text AS what FROM evidence e
WHERE e.at > now() - interval '1 day' AND e.kind = 'sent' AND e.detail ->> 'holder' IS NULL

-- job_without_clock --
-- Every open job has a pending or acting effect, or a deadline ahead of it.
SELECT j.id::text AS what FROM jobs j
WHERE j.state IN ('created', 'submitting', 'running') AND j.expires_at < now() - interval '1 minute'

-- succeeded_without_effect --
SELECT j.id::text AS what FROM jobs j
WHERE j.state = 'succeeded' AND j.deliver
    AND NOT EXISTS (SELECT FROM effects e WHERE e.job_id = j.id AND e.kind IN ('show', 'send')
        AND e.state IN ('pending', 'acting', 'uncertain', 'parked'))

-- lease_over --
SELECT job_id::text AS what FROM effects WHERE state = 'acting' AND lease_until < now() - interval '1 minute'

-- effect_overdue --
SELECT job_id::text AS what FROM effects WHERE state = 'pending' AND due_at < now() - interval '10 minutes'

-- outbox_stuck --
SELECT id::text AS what FROM outbox WHERE at < now() - interval '1 minute'

-- orphans_overdue --
SELECT task_id AS what FROM orphans WHERE state = 'waiting' AND seen_at < now() - $1::interval

-- dead_letters --
SELECT id::text AS what FROM dead_letters WHERE settled_at IS NULL

-- held_after_restore --
-- Nothing is handed out: Postgres is older than what was acknowledged.
SELECT durable || ' acknowledged ' || missing AS what FROM restores WHERE resumed_at IS NULL

-- index_unfinished --
-- It was being built when something ended it; nothing is found by it.
SELECT c.relname::text AS what FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relnamespace = 'sendonce'::regnamespace
