-- Who may do what in Postgres. `sendonce migrate up` applies it whole, in one transaction, after the migrations.
-- Tables belong to whoever migrates; nothing but what stands here is granted to anybody.
-- A release that needs less keeps what the one before needs, because both run during a rollout.

REVOKE ALL ON SCHEMA sendonce FROM sendonce_store, sendonce_reader;
REVOKE ALL ON ALL TABLES IN SCHEMA sendonce FROM sendonce_store, sendonce_reader;

-- job-store: data and no DDL. It may change what becomes of a row, never what was asked for or paid.
GRANT USAGE ON SCHEMA sendonce TO sendonce_store;

-- What only grows: no UPDATE, no DELETE.
GRANT SELECT, INSERT ON sendonce.ledger TO sendonce_store;
GRANT SELECT, INSERT ON sendonce.audit TO sendonce_store;
GRANT SELECT, INSERT ON sendonce.attempts TO sendonce_store;
GRANT SELECT, INSERT ON sendonce.task_owners TO sendonce_store;

-- What only grows, and may lose its words when a user is forgotten or its age has come; triggers let nothing else go.
GRANT SELECT, INSERT, UPDATE (detail) ON sendonce.evidence TO sendonce_store;
GRANT SELECT, INSERT, DELETE ON sendonce.carriers TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (message) ON sendonce.events TO sendonce_store;

-- What has a life: the columns it moves through, and the content that goes at its age.
GRANT SELECT, INSERT, UPDATE (state, version, chat_id, thread_id, reply_to, money, status_message_id, status_at,
    status_unclear_until, delivery_no, progress, progress_at, cause, failure, error, ended_at,
    input, caption, caption_entities, buttons, prompt_gone_at, media_gone_at, forgotten_at)
    ON sendonce.jobs TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (state, album, items, carrier_no, carrier_posts, message_id, file_id, edit_maybe_applied,
    showings, refusal, shown_at, url, text, entities, body, name, buttons)
    ON sendonce.parts TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (state, due_at, queued, claimed_at, text, attempts, failures, open_attempt, lease_until,
    holder, trace)
    ON sendonce.effects TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (balance, held) ON sendonce.wallets TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (token_ref, kie_account, currency, language, texts, rich, staging_chat, pauses)
    ON sendonce.bots TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (job_id, message, body_gone_at) ON sendonce.reports TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (state, seen_at, job_id, matched_at) ON sendonce.orphans TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (settled_at, settled_as, payload, reason) ON sendonce.dead_letters TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (phase, resumed_at) ON sendonce.restores TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (stream_seq) ON sendonce.floors TO sendonce_store;
-- A task is never changed; who may not change any column of a row may not lock it either.
GRANT SELECT, INSERT, UPDATE (seen_at) ON sendonce.tasks TO sendonce_store;

-- What is forgotten when it is over.
GRANT SELECT, INSERT, UPDATE (leased_until), DELETE ON sendonce.outbox TO sendonce_store;
GRANT SELECT, INSERT, UPDATE (tat, tail, parked_until, needs_owner, credits), DELETE ON sendonce.pacing TO sendonce_store;
GRANT SELECT, INSERT, DELETE ON sendonce.durations TO sendonce_store;

-- How the schema stands beside what this version ships.
GRANT SELECT ON sendonce.migration_checksums TO sendonce_store;
GRANT SELECT ON public.sendonce_migrations TO sendonce_store;

-- People who look: what `status`, `doctor`, `audit` and the lists and stories of the command are made of.
GRANT USAGE ON SCHEMA sendonce TO sendonce_reader;
GRANT SELECT ON sendonce.ledger TO sendonce_reader;
GRANT SELECT ON sendonce.audit TO sendonce_reader;
GRANT SELECT ON sendonce.attempts TO sendonce_reader;
GRANT SELECT ON sendonce.evidence TO sendonce_reader;
GRANT SELECT ON sendonce.events TO sendonce_reader;
GRANT SELECT ON sendonce.task_owners TO sendonce_reader;
GRANT SELECT ON sendonce.jobs TO sendonce_reader;
GRANT SELECT ON sendonce.parts TO sendonce_reader;
GRANT SELECT ON sendonce.effects TO sendonce_reader;
GRANT SELECT ON sendonce.wallets TO sendonce_reader;
GRANT SELECT ON sendonce.bots TO sendonce_reader;
GRANT SELECT ON sendonce.reports TO sendonce_reader;
GRANT SELECT ON sendonce.orphans TO sendonce_reader;
GRANT SELECT ON sendonce.dead_letters TO sendonce_reader;
GRANT SELECT ON sendonce.restores TO sendonce_reader;
GRANT SELECT ON sendonce.outbox TO sendonce_reader;
GRANT SELECT ON sendonce.pacing TO sendonce_reader;
