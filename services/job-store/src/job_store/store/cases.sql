-- lock_jobs --
-- Always in id order, before anything that belongs to them: two settles of two parts must see each other.
SELECT *, now() AS now FROM jobs WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE

-- see_jobs --
SELECT *, now() AS now FROM jobs WHERE id = ANY($1::uuid[]) ORDER BY id

-- effects_of_jobs --
SELECT * FROM effects WHERE job_id = ANY($1::uuid[])

-- parts_of_jobs --
SELECT * FROM parts WHERE job_id = ANY($1::uuid[])

-- owners_of_jobs --
SELECT account, family, operation, task_id, job_id FROM task_owners WHERE job_id = ANY($1::uuid[]) ORDER BY at

-- bots_by_slug --
SELECT * FROM bots WHERE slug = ANY($1::text[])

-- meet_at_tasks --
INSERT INTO tasks (task_id) SELECT unnest($1::text[]) ORDER BY 1 ON CONFLICT DO NOTHING

-- lock_tasks --
SELECT task_id FROM tasks WHERE task_id = ANY($1::text[]) ORDER BY task_id FOR UPDATE

-- owners_of_tasks --
SELECT account, family, operation, task_id, job_id FROM task_owners WHERE task_id = ANY($1::text[])

-- insert_jobs --
INSERT INTO jobs SELECT * FROM jsonb_populate_recordset(NULL::jobs, $1)

-- update_jobs --
-- The version is the guard: the row is locked, so a miss is a bug and raises.
UPDATE jobs j SET
    state = n.state, version = n.version, chat_id = n.chat_id, thread_id = n.thread_id, reply_to = n.reply_to,
    money = n.money, status_message_id = n.status_message_id, status_at = n.status_at,
    status_unclear_until = n.status_unclear_until, delivery_no = n.delivery_no, progress = n.progress,
    progress_at = n.progress_at, cause = n.cause, failure = n.failure, error = n.error,
    ended_at = n.ended_at
FROM jsonb_populate_recordset(NULL::jobs, $1) n
WHERE j.id = n.id AND j.version = n.version - 1
RETURNING j.id

-- save_parts --
INSERT INTO parts SELECT * FROM jsonb_populate_recordset(NULL::parts, $1)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, album = excluded.album, items = excluded.items, carrier_no = excluded.carrier_no, carrier_posts = excluded.carrier_posts,
    message_id = excluded.message_id, file_id = excluded.file_id,
    edit_maybe_applied = excluded.edit_maybe_applied, showings = excluded.showings,
    refusal = excluded.refusal, shown_at = excluded.shown_at

-- save_effects --
INSERT INTO effects SELECT * FROM jsonb_populate_recordset(NULL::effects, $1)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, due_at = excluded.due_at, queued = excluded.queued, claimed_at = excluded.claimed_at,
    text = excluded.text, attempts = excluded.attempts, failures = excluded.failures,
    open_attempt = excluded.open_attempt, lease_until = excluded.lease_until, holder = excluded.holder

-- insert_carriers --
INSERT INTO carriers (bot, chat_id, message_id, part_id, no)
SELECT bot, chat_id, message_id, part_id, no FROM jsonb_populate_recordset(NULL::carriers, $1) n
-- A carrier given up for lost may turn out to show its part after all; another part's is refused by the key.
WHERE NOT EXISTS (SELECT FROM carriers c
    WHERE (c.bot, c.chat_id, c.message_id, c.part_id) = (n.bot, n.chat_id, n.message_id, n.part_id))

-- insert_attempts --
INSERT INTO attempts (id, effect_id, job_id, no)
SELECT id, effect_id, job_id, no FROM jsonb_populate_recordset(NULL::attempts, $1)

-- insert_owners --
INSERT INTO task_owners (account, family, operation, task_id, job_id)
SELECT account, family, operation, task_id, job_id FROM jsonb_populate_recordset(NULL::task_owners, $1)

-- insert_durations --
INSERT INTO durations (family, operation, model, seconds)
SELECT family, operation, model, seconds FROM jsonb_populate_recordset(NULL::durations, $1)

-- lock_wallets --
-- After the jobs, in key order.
SELECT w.* FROM wallets w
JOIN jsonb_populate_recordset(NULL::wallets, $1) n USING (bot, user_id, currency)
ORDER BY w.bot, w.user_id, w.currency FOR UPDATE OF w

-- move_wallets --
UPDATE wallets w SET balance = w.balance + n.balance, held = w.held + n.held
FROM jsonb_populate_recordset(NULL::wallets, $1) n
WHERE (w.bot, w.user_id, w.currency) = (n.bot, n.user_id, n.currency)
RETURNING w.user_id

-- insert_transfers --
INSERT INTO ledger (bot, user_id, currency, kind, amount, debit, credit, job_id, refunds)
SELECT n.bot, n.user_id, n.currency, n.kind, n.amount, n.debit, n.credit, n.job_id,
    CASE n.kind WHEN 'refund'
        THEN (SELECT c.id FROM ledger c WHERE c.job_id = n.job_id AND c.kind = 'capture') END
FROM jsonb_populate_recordset(NULL::ledger, $1) n

-- order_events --
-- The last lock of a transaction, in order of the names; see the table.
SELECT pg_advisory_xact_lock(hashtextextended('events of ' || bot, 0)) FROM unnest($1::text[]) AS n (bot)

-- insert_events --
INSERT INTO events (bot, job_id, event, message)
SELECT bot, job_id, event, message FROM jsonb_populate_recordset(NULL::events, $1)

-- insert_outbox --
-- Leased by the writer, who publishes them right after the commit; the lease's end makes them anybody's.
INSERT INTO outbox (subject, msg_id, payload, leased_until)
SELECT s, m, p, now() + interval '10 seconds'
FROM unnest($1::text[], $2::text[], $3::bytea[]) AS n (s, m, p)
RETURNING id, subject, msg_id, payload
