-- add_history --
-- Jobs that ended: what a deployment is full of after a year.
INSERT INTO jobs (id, bot, key, digest, door, state, version, chat_id, user_id, language, deliver, notify,
    caption, caption_entities, account, family, operation, model, input, price, currency, money,
    delivery_no, cause, created_at, expires_at, ended_at)
SELECT ('0' || lpad(to_hex(n), 31, '0'))::uuid, 'default', 'history-' || n, 'd', 'create', 'delivered', 5, n % 50000 + 1,
    n % 50000 + 1, 'en', true, 'auto', '', '[]', 'default', 'market', 'generate', 'm', '{"prompt": "a picture"}',
    0, 'RUB', 'none', 1, 'provider', now() - interval '2 days', now() - interval '2 days', now() - interval '2 days'
FROM generate_series($1::bigint, $2::bigint) AS n

-- add_history_parts --
INSERT INTO parts (id, job_id, delivery_no, ordinal, kind, url, text, entities, state, message_id, shown_at)
SELECT ('1' || lpad(to_hex(n), 31, '0'))::uuid, ('0' || lpad(to_hex(n), 31, '0'))::uuid, 1, 1, 'image',
    'https://files.example/' || n || '.png', '', '[]', 'shown', n, now() - interval '2 days'
FROM generate_series($1::bigint, $2::bigint) AS n

-- add_history_effects --
INSERT INTO effects (id, job_id, kind, part_id, state, due_at, attempts)
SELECT md5(kind || n)::uuid, ('0' || lpad(to_hex(n), 31, '0'))::uuid, kind,
    CASE kind WHEN 'show' THEN ('1' || lpad(to_hex(n), 31, '0'))::uuid END, 'done', now() - interval '2 days', 1
FROM generate_series($1::bigint, $2::bigint) AS n, unnest(ARRAY['submit', 'show']) AS kind

-- add_history_orphans --
-- One callback in a hundred came before its job was known.
INSERT INTO orphans (id, task_id, state, seen_at, job_id, matched_at)
SELECT md5('orphan' || n)::uuid, 'matched-' || n, 'matched', now() - interval '2 days',
    ('0' || lpad(to_hex(n), 31, '0'))::uuid, now() - interval '2 days'
FROM generate_series($1::bigint, $2::bigint, 100) AS n

-- add_open --
-- Jobs that run and are not due: as many whatever the history. Those past their time are overdue.
INSERT INTO jobs (id, bot, key, digest, door, state, version, chat_id, user_id, language, deliver, notify,
    caption, caption_entities, account, family, operation, model, input, price, currency, money, expires_at)
SELECT ('a' || lpad(to_hex(n), 31, '0'))::uuid, 'default', 'open-' || n, 'd', 'create', 'running', 3, n, n, 'en', true,
    'auto', '', '[]', 'default', 'market', 'generate', 'm', '{}', 0, 'RUB', 'none',
    now() + CASE WHEN n <= $2::bigint THEN interval '-1 minute' ELSE interval '1 hour' END
FROM generate_series(1, $1::bigint) AS n

-- add_open_effects --
INSERT INTO effects (id, job_id, kind, state, due_at)
SELECT md5('poll' || n)::uuid, ('a' || lpad(to_hex(n), 31, '0'))::uuid, 'poll', 'pending', now() + interval '1 hour'
FROM generate_series(1, $1::bigint) AS n

-- add_undelivered --
-- Results not shown yet.
INSERT INTO jobs (id, bot, key, digest, door, state, version, chat_id, user_id, language, deliver, notify,
    caption, caption_entities, account, family, operation, model, input, price, currency, money, delivery_no,
    expires_at)
SELECT ('b' || lpad(to_hex(n), 31, '0'))::uuid, 'default', 'undelivered-' || n, 'd', 'create', 'succeeded', 4, n, n, 'en',
    true, 'auto', '', '[]', 'default', 'market', 'generate', 'm', '{}', 0, 'RUB', 'none', 1, now() + interval '1 hour'
FROM generate_series(1, $1::bigint) AS n

-- add_undelivered_parts --
INSERT INTO parts (id, job_id, delivery_no, ordinal, kind, url, text, entities, state)
SELECT ('c' || lpad(to_hex(n), 31, '0'))::uuid, ('b' || lpad(to_hex(n), 31, '0'))::uuid, 1, 1, 'image', 'https://files.example/a.png',
    '', '[]', 'pending'
FROM generate_series(1, $1::bigint) AS n

-- add_undelivered_effects --
-- The first of them are being shown under a lease that is over, the rest are due.
INSERT INTO effects (id, job_id, kind, part_id, state, due_at, attempts, open_attempt, lease_until)
SELECT md5('due' || n)::uuid, ('b' || lpad(to_hex(n), 31, '0'))::uuid, 'show', ('c' || lpad(to_hex(n), 31, '0'))::uuid,
    CASE WHEN n <= $2::bigint THEN 'acting' ELSE 'pending' END, now() - interval '1 second', 1,
    CASE WHEN n <= $2::bigint THEN md5('attempt' || n)::uuid END,
    CASE WHEN n <= $2::bigint THEN now() - interval '1 second' END
FROM generate_series(1, $1::bigint) AS n

-- add_waiting_orphans --
INSERT INTO orphans (id, task_id, state, seen_at)
SELECT md5('waiting' || n)::uuid, 'waiting-' || n, 'waiting', now() - interval '2 hours'
FROM generate_series(1, $1::bigint) AS n

-- add_outbox --
INSERT INTO outbox (subject, msg_id, payload, leased_until)
SELECT 'deliveries.requested', 'row-' || n, convert_to(repeat('x', 600), 'UTF8'), now() - interval '1 second'
FROM generate_series(1, $1::bigint) AS n
