-- job_id_by_key --
SELECT id FROM jobs WHERE bot = $1 AND key = $2

-- bot_of_job --
SELECT bot FROM jobs WHERE id = $1

-- job_ids_of_task --
SELECT o.job_id AS id FROM task_owners o JOIN jobs j ON j.id = o.job_id WHERE o.task_id = $1 AND j.bot = $2 ORDER BY o.at

-- undelivered --
SELECT id FROM jobs WHERE bot = $1 AND state = 'succeeded' AND deliver AND id > $2 ORDER BY id LIMIT $3

-- list_jobs --
SELECT id FROM jobs
WHERE ($1::text IS NULL OR bot = $1) AND ($2::text IS NULL OR state = $2)
    AND ($4::timestamptz IS NULL OR created_at >= $4) AND ($5::timestamptz IS NULL OR created_at < $5)
    AND ($6::uuid IS NULL OR id < $6)
ORDER BY id DESC LIMIT $3

-- wallet --
SELECT * FROM wallets WHERE bot = $1 AND user_id = $2 AND currency = $3

-- topup --
-- The reference is unique per bot: the same payment never credits twice.
INSERT INTO ledger (bot, user_id, currency, kind, amount, debit, credit, reference)
VALUES ($1, $2, $3, 'topup', $4, 'external', 'balance', $5)
ON CONFLICT (bot, reference) WHERE kind = 'topup' DO NOTHING
RETURNING id

-- topup_by_reference --
SELECT user_id, currency, amount FROM ledger WHERE bot = $1 AND reference = $2 AND kind = 'topup'

-- credit_wallet --
UPDATE wallets SET balance = balance + $4 WHERE bot = $1 AND user_id = $2 AND currency = $3

-- make_wallet --
INSERT INTO wallets (bot, user_id, currency, balance, held) VALUES ($1, $2, $3, 0, 0) ON CONFLICT DO NOTHING

-- statement --
SELECT id, at, kind, amount, job_id, reference FROM ledger
WHERE bot = $1 AND user_id = $2 AND currency = $3 ORDER BY id DESC LIMIT $4

-- changes --
-- Nothing is skipped: seq is taken in the order of commits (order_events).
SELECT seq, message FROM events WHERE bot = $1 AND seq > $2 ORDER BY seq LIMIT $3

-- list_orphans --
SELECT o.*, (SELECT count(*) FROM reports r WHERE r.task_id = o.task_id) AS reports,
    EXISTS (SELECT FROM reports r WHERE r.task_id = o.task_id AND r.trust = 'trusted') AS trusted
FROM orphans o
WHERE ($1::text IS NULL OR o.state = $1) AND ($2::uuid IS NULL OR o.id = $2) ORDER BY o.seen_at DESC LIMIT $3

-- orphan --
SELECT id, task_id, state FROM orphans WHERE id = $1

-- bodies_of_task --
SELECT message FROM reports WHERE task_id = $1 ORDER BY received_at

-- add_bot --
INSERT INTO bots (slug, token_ref, kie_account, currency, language, rich, staging_chat)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (slug) DO UPDATE SET
    token_ref = excluded.token_ref, kie_account = excluded.kie_account,
    currency = excluded.currency, language = excluded.language,
    rich = excluded.rich, staging_chat = excluded.staging_chat
RETURNING *

-- set_texts --
UPDATE bots SET texts = $2 WHERE slug = $1 RETURNING *

-- make_default_bot --
INSERT INTO bots (slug, token_ref, kie_account, currency, language)
VALUES ('default', 'default', 'default', 'RUB', 'en') ON CONFLICT DO NOTHING

-- list_bots --
SELECT b.*, p.needs_owner AS paused FROM bots b
LEFT JOIN pacing p ON p.key = 'creates:' || b.kie_account AND p.parked_until > now()
ORDER BY slug

-- timeline --
-- One transaction has one time: what was heard comes first, then the money, what became of the job, what is done next;
-- and of several changes of one kind each stands where it was made.
SELECT at, what, detail FROM (
    SELECT 1 AS rank, 0 AS no, at, 'operator ' || verb AS what, who || ': ' || why AS detail FROM audit WHERE job_id = $1
    UNION ALL
    SELECT 1, 0, received_at, 'report ' || origin, state || ', ' || trust FROM reports WHERE job_id = $1
    UNION ALL
    SELECT 1, 0, v.at, 'outcome ' || coalesce(e.kind, 'of no attempt'), concat(
        'no ' || a.no || ' ', v.kind, CASE WHEN NOT v.moved THEN ', stale' END,
        ': ' || (v.detail #>> '{result,reason}'), ', task ' || (v.detail #>> '{result,task_id}'),
        ', message ' || coalesce(v.detail #>> '{result,message_id}', v.detail #>> '{result,parts,0,message_id}'))
        FROM evidence v LEFT JOIN attempts a ON a.id = v.attempt_id LEFT JOIN effects e ON e.id = a.effect_id
        WHERE v.job_id = $1
    UNION ALL
    SELECT 2, id, at, 'ledger ' || kind, amount || ' ' || currency FROM ledger WHERE job_id = $1
    UNION ALL
    SELECT 3, seq, at, 'event ' || event, coalesce(message ->> 'error', '') FROM events WHERE job_id = $1
    UNION ALL
    SELECT 4, 0, a.at, 'attempt ' || e.kind, 'no ' || a.no FROM attempts a JOIN effects e ON e.id = a.effect_id
        WHERE a.job_id = $1
    UNION ALL
    SELECT 5, 0, g.at, 'gone ' || g.what, '' FROM jobs j, LATERAL (VALUES
        ('prompt', j.prompt_gone_at), ('media', j.media_gone_at), ('chat', j.forgotten_at)) AS g (what, at)
        WHERE j.id = $1 AND g.at IS NOT NULL
) AS story ORDER BY at, rank, no

-- ledger_of_job --
SELECT id, at, kind, amount, job_id, reference FROM ledger WHERE job_id = $1 ORDER BY id
