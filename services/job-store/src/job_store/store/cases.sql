-- lock_jobs --
-- Always in id order, before anything that belongs to them: two settles of two parts must see each other.
SELECT *, now() AS now, EXISTS (SELECT FROM restores WHERE resumed_at IS NULL) AS is_held
FROM jobs WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE

-- see_jobs --
SELECT *, now() AS now, false AS is_held FROM jobs WHERE id = ANY($1::uuid[]) ORDER BY id

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
INSERT INTO jobs (id, bot, key, digest, door, state, version, chat_id, thread_id, reply_to, user_id, language,
    deliver, notify, caption, caption_entities, mode, buttons, protect, originals, voice, account, family, operation,
    model, input, price, currency, money, status_message_id, status_at, status_unclear_until, delivery_no, progress,
    progress_at, cause, failure, error, created_at, expires_at, ended_at)
SELECT * FROM json_to_recordset($1::text::json) AS n (
    id uuid, bot text, key text, digest text, door text, state text, version int, chat_id bigint, thread_id bigint,
    reply_to bigint, user_id bigint, language text,
    deliver boolean, notify text, caption text, caption_entities jsonb, mode text, buttons jsonb, protect boolean,
    originals boolean, voice boolean, account text, family text, operation text,
    model text, input jsonb, price bigint, currency text, money text, status_message_id bigint, status_at timestamptz,
    status_unclear_until timestamptz, delivery_no int, progress real,
    progress_at timestamptz, cause text, failure text, error text, created_at timestamptz, expires_at timestamptz,
    ended_at timestamptz)

-- update_jobs --
-- The version is the guard: the row is locked, so a miss is a bug and raises.
UPDATE jobs j SET
    state = n.state, version = n.version, chat_id = n.chat_id, thread_id = n.thread_id, reply_to = n.reply_to,
    money = n.money, status_message_id = n.status_message_id, status_at = n.status_at,
    status_unclear_until = n.status_unclear_until, delivery_no = n.delivery_no, progress = n.progress,
    progress_at = n.progress_at, cause = n.cause, failure = n.failure, error = n.error,
    ended_at = n.ended_at
FROM json_to_recordset($1::text::json) AS n (
    id uuid, state text, version int, chat_id bigint, thread_id bigint, reply_to bigint,
    money text, status_message_id bigint, status_at timestamptz,
    status_unclear_until timestamptz, delivery_no int, progress real,
    progress_at timestamptz, cause text, failure text, error text,
    ended_at timestamptz)
WHERE j.id = n.id AND j.version = n.version - 1
RETURNING j.id

-- insert_parts --
INSERT INTO parts (id, job_id, delivery_no, ordinal, kind, url, text, entities, body, name, items, buttons, album,
    made_at, state, carrier_no, carrier_posts, message_id, file_id, edit_maybe_applied, showings, refusal, shown_at)
SELECT * FROM json_to_recordset($1::text::json) AS n (
    id uuid, job_id uuid, delivery_no int, ordinal int, kind text, url text, text text, entities jsonb, body text,
    name text, items jsonb, buttons jsonb, album int, made_at timestamptz, state text, carrier_no int,
    carrier_posts int, message_id bigint, file_id text, edit_maybe_applied boolean, showings int, refusal text,
    shown_at timestamptz)

-- update_parts --
UPDATE parts p SET
    state = n.state, album = n.album, items = n.items, carrier_no = n.carrier_no, carrier_posts = n.carrier_posts,
    message_id = n.message_id, file_id = n.file_id,
    edit_maybe_applied = n.edit_maybe_applied, showings = n.showings,
    refusal = n.refusal, shown_at = n.shown_at
FROM json_to_recordset($1::text::json) AS n (
    id uuid, state text, album int, items jsonb, carrier_no int, carrier_posts int,
    message_id bigint, file_id text,
    edit_maybe_applied boolean, showings int,
    refusal text, shown_at timestamptz)
WHERE p.id = n.id

-- insert_effects --
INSERT INTO effects (id, job_id, kind, part_id, item, message_id, text, state, due_at, queued, claimed_at, attempts,
    failures, open_attempt, lease_until, holder, trace)
SELECT * FROM json_to_recordset($1::text::json) AS n (
    id uuid, job_id uuid, kind text, part_id uuid, item int, message_id bigint, text text, state text,
    due_at timestamptz, queued boolean, claimed_at timestamptz, attempts int,
    failures int, open_attempt uuid, lease_until timestamptz, holder uuid, trace text)

-- update_effects --
UPDATE effects e SET
    state = n.state, due_at = n.due_at, queued = n.queued, claimed_at = n.claimed_at,
    text = n.text, attempts = n.attempts, failures = n.failures,
    open_attempt = n.open_attempt, lease_until = n.lease_until, holder = n.holder, trace = n.trace
FROM json_to_recordset($1::text::json) AS n (
    id uuid, state text, due_at timestamptz, queued boolean, claimed_at timestamptz,
    text text, attempts int, failures int,
    open_attempt uuid, lease_until timestamptz, holder uuid, trace text)
WHERE e.id = n.id

-- insert_carriers --
INSERT INTO carriers (bot, chat_id, message_id, part_id, no)
SELECT bot, chat_id, message_id, part_id, no
FROM json_to_recordset($1::text::json) AS n (bot text, chat_id bigint, message_id bigint, part_id uuid, no int)
-- A carrier given up for lost may turn out to show its part after all; another part's is refused by the key.
WHERE NOT EXISTS (SELECT FROM carriers c
    WHERE (c.bot, c.chat_id, c.message_id, c.part_id) = (n.bot, n.chat_id, n.message_id, n.part_id))

-- insert_attempts --
INSERT INTO attempts (id, effect_id, job_id, no)
SELECT * FROM json_to_recordset($1::text::json) AS n (id uuid, effect_id uuid, job_id uuid, no int)

-- insert_owners --
INSERT INTO task_owners (account, family, operation, task_id, job_id)
SELECT * FROM json_to_recordset($1::text::json)
    AS n (account text, family text, operation text, task_id text, job_id uuid)

-- insert_durations --
INSERT INTO durations (family, operation, model, seconds)
SELECT * FROM json_to_recordset($1::text::json) AS n (family text, operation text, model text, seconds real)

-- order_events --
-- The last lock of a transaction, in order of the names; see the table.
SELECT pg_advisory_xact_lock(hashtextextended('events of ' || bot, 0)) FROM unnest($1::text[]) AS n (bot)

-- insert_events --
INSERT INTO events (bot, job_id, event, message)
SELECT bot, job_id, event, message::jsonb
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[]) AS n (bot, job_id, event, message)

-- insert_outbox --
-- Leased by the writer, who publishes them right after the commit; the lease's end makes them anybody's.
INSERT INTO outbox (subject, msg_id, payload, trace, leased_until)
SELECT s, m, p, t, now() + interval '10 seconds'
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[]) AS n (s, m, p, t)
RETURNING id, subject, msg_id, payload, trace
