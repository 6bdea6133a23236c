-- migrate:up
-- The laws as tables (docs/architecture.md). Code decides, the database refuses what must never be.
-- All times are Postgres' own now(): no clock of any service enters a row.

CREATE SCHEMA IF NOT EXISTS sendonce;

CREATE FUNCTION sendonce.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- A bot is a row, not a process. Secrets are references that the services which need them resolve.
CREATE TABLE sendonce.bots (
    slug        text PRIMARY KEY CHECK (slug ~ '^[a-z][a-z0-9-]{0,31}$'),
    token_ref   text NOT NULL,
    kie_account text NOT NULL,
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    language    text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    texts       jsonb NOT NULL DEFAULT '{}',
    rich        boolean NOT NULL DEFAULT false, -- several pictures as one rich message
    staging_chat bigint, -- where results wait that nobody can be shown yet
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sendonce.jobs (
    id                uuid PRIMARY KEY,
    bot               text NOT NULL REFERENCES sendonce.bots,
    key               text NOT NULL,
    digest            text NOT NULL, -- of the request: same key and another request is a conflict
    door              text NOT NULL CHECK (door IN ('create', 'expect', 'deliver')),
    state             text NOT NULL CHECK (state IN (
        'created',       -- → submitting, cancelled, expired, succeeded, failed
        'submitting',    -- → running, succeeded, failed, expired
        'running',       -- → succeeded, failed, expired
        'succeeded',     -- → delivered, undeliverable
        'delivered',
        'failed',
        'undeliverable',
        'expired',       -- → succeeded: our own end yields to a later success
        'cancelled')),
    version           integer NOT NULL CHECK (version >= 1),
    chat_id           bigint NOT NULL,
    thread_id         bigint,
    reply_to          bigint,
    user_id           bigint NOT NULL,
    language          text NOT NULL,
    deliver           boolean NOT NULL,
    notify            text NOT NULL CHECK (notify IN ('auto', 'fresh', 'in_place')),
    caption           text NOT NULL,
    caption_entities  jsonb NOT NULL,
    mode              text NOT NULL DEFAULT 'edit' CHECK (mode IN ('edit', 'send')),
    buttons           jsonb NOT NULL DEFAULT '[]',
    protect           boolean NOT NULL DEFAULT false,
    originals         boolean NOT NULL DEFAULT false,
    voice             boolean NOT NULL DEFAULT false,
    account           text NOT NULL,
    family            text NOT NULL,
    operation         text NOT NULL,
    model             text NOT NULL,
    input             jsonb NOT NULL,
    price             bigint NOT NULL CHECK (price >= 0),
    currency          text NOT NULL,
    money             text NOT NULL CHECK (money IN ('none', 'held', 'captured', 'released', 'waived', 'refunded')),
    status_message_id bigint,
    status_at         timestamptz,
    status_unclear_until timestamptz, -- an edit of the status line may land until then
    delivery_no       integer NOT NULL DEFAULT 0,
    progress          real,
    progress_at       timestamptz, -- when it last grew
    cause             text CHECK (cause IN ('provider', 'ours', 'user')),
    failure           text,
    error             text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    expires_at        timestamptz NOT NULL,
    ended_at          timestamptz,
    UNIQUE (bot, key),
    CHECK (NOT voice OR mode = 'send'),
    CHECK ((price > 0) = (money <> 'none')),
    CHECK ((ended_at IS NOT NULL) = (cause IS NOT NULL)),
    CHECK ((ended_at IS NOT NULL) = (
        state IN ('delivered', 'failed', 'undeliverable', 'expired', 'cancelled')
        OR (state = 'succeeded' AND NOT deliver))),
    CHECK (state NOT IN ('failed', 'expired', 'cancelled') OR money IN ('none', 'released')),
    CHECK (state NOT IN ('succeeded', 'delivered') OR money IN ('none', 'captured', 'waived'))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01);
CREATE INDEX jobs_overdue ON sendonce.jobs (expires_at) WHERE state IN ('created', 'submitting', 'running');
CREATE INDEX jobs_of_chat ON sendonce.jobs (bot, chat_id, id);
CREATE INDEX jobs_undelivered ON sendonce.jobs (bot, id) WHERE state = 'succeeded' AND deliver;
-- Two jobs never share one status message.
CREATE UNIQUE INDEX jobs_status_message ON sendonce.jobs (bot, chat_id, status_message_id)
    WHERE status_message_id IS NOT NULL;

-- One row a message, made once, in the transaction that makes `succeeded`. Ordinal 0 is a notice.
CREATE TABLE sendonce.parts (
    id                 uuid PRIMARY KEY,
    job_id             uuid NOT NULL REFERENCES sendonce.jobs,
    delivery_no        integer NOT NULL CHECK (delivery_no >= 1),
    ordinal            integer NOT NULL CHECK (ordinal >= 0),
    kind               text NOT NULL CHECK (kind IN (
        'image', 'video', 'animation', 'audio', 'voice', 'text', 'file', 'midi')),
    url                text,
    text               text NOT NULL, -- the message itself, or the caption of what it shows
    entities           jsonb NOT NULL,
    body               text, -- of a document made of words
    name               text, -- of a document
    items              jsonb NOT NULL DEFAULT '[]', -- of a collage: one message that shows them all
    buttons            jsonb NOT NULL DEFAULT '[]',
    album              integer, -- parts of one number are sent as one album; none when alone
    made_at            timestamptz NOT NULL DEFAULT now(),
    state              text NOT NULL CHECK (state IN (
        'pending',   -- → carried, shown (when sent), refused, uncertain, parked
        'carried',   -- its message is known; → shown, pending (carrier lost), refused, uncertain, parked
        'shown',
        'refused',
        'uncertain', -- → shown by evidence
        'parked')),  -- → pending when the user is back
    carrier_no         integer NOT NULL DEFAULT 1,
    carrier_posts      integer NOT NULL DEFAULT 0, -- carriers that may stand there without an id
    message_id         bigint,
    file_id            text,
    edit_maybe_applied boolean NOT NULL DEFAULT false,
    showings           integer NOT NULL DEFAULT 0, -- above 1: doubled, an operator must know
    refusal            text,
    shown_at           timestamptz,
    UNIQUE (job_id, delivery_no, ordinal),
    CHECK (state <> 'shown' OR (message_id IS NOT NULL AND shown_at IS NOT NULL)),
    CHECK (state <> 'carried' OR message_id IS NOT NULL),
    CHECK ((state = 'refused') = (refusal IS NOT NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01);
CREATE INDEX parts_unsettled ON sendonce.parts (state) WHERE state IN ('uncertain', 'parked');

-- A message shows one part, ever; a part's carrier is written once per number.
CREATE TABLE sendonce.carriers (
    bot        text NOT NULL,
    chat_id    bigint NOT NULL,
    message_id bigint NOT NULL,
    part_id    uuid NOT NULL REFERENCES sendonce.parts,
    no         integer NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bot, chat_id, message_id),
    UNIQUE (part_id, no)
);
CREATE TRIGGER carriers_insert_only BEFORE UPDATE OR DELETE ON sendonce.carriers
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();

-- Everything that calls the outside world.
CREATE TABLE sendonce.effects (
    id           uuid PRIMARY KEY,
    job_id       uuid NOT NULL REFERENCES sendonce.jobs,
    kind         text NOT NULL CHECK (kind IN (
        'submit',   -- createTask; asks before it acts
        'status',   -- post the line that says the job is being worked on
        'progress', -- edit that line while the job runs
        'show',     -- edit a part into its message
        'send',     -- send a part, or the album it leads; asks before it acts
        'stage',    -- put a medium into the staging chat before its link dies
        'rewrite',  -- turn the status line into a pointer
        'remove',   -- delete a spare message
        'poll')),   -- recordInfo
    part_id      uuid REFERENCES sendonce.parts, -- of an album its first
    item         integer, -- of `stage`: the place in a collage
    message_id   bigint, -- of `rewrite` and `remove`
    text         text,   -- of `rewrite`; of `progress` what was last written
    state        text NOT NULL CHECK (state IN (
        'pending',   -- due at due_at; → acting, cancelled, parked, done by evidence
        'acting',    -- one open attempt; → done, pending, refused, uncertain, parked
        'done',
        'refused',
        'uncertain', -- it may have happened; → done by evidence, cancelled with its job
        'parked',    -- → pending
        'cancelled')),
    due_at       timestamptz NOT NULL,
    queued       boolean NOT NULL DEFAULT false, -- due_at is a slot that pacing gave
    claimed_at   timestamptz,
    attempts     integer NOT NULL DEFAULT 0,
    failures     integer NOT NULL DEFAULT 0, -- in a row, for the backoff
    open_attempt uuid,  -- the fencing token: a stale one moves nothing
    lease_until  timestamptz,
    holder       uuid,  -- who was told to go
    CHECK ((state = 'acting') = (open_attempt IS NOT NULL)),
    CHECK ((state = 'acting') = (lease_until IS NOT NULL)),
    CHECK ((kind IN ('show', 'send', 'stage')) = (part_id IS NOT NULL)),
    CHECK (item IS NULL OR kind = 'stage'),
    CHECK (NOT queued OR state = 'pending'),
    CHECK ((kind IN ('rewrite', 'remove')) = (message_id IS NOT NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01);
CREATE INDEX effects_due ON sendonce.effects (due_at) WHERE state = 'pending';
CREATE INDEX effects_leased ON sendonce.effects (lease_until) WHERE state = 'acting';
CREATE INDEX effects_of_job ON sendonce.effects (job_id);
CREATE UNIQUE INDEX effects_one_submit ON sendonce.effects (job_id) WHERE kind = 'submit';
CREATE UNIQUE INDEX effects_one_poll ON sendonce.effects (job_id) WHERE kind = 'poll';
CREATE UNIQUE INDEX effects_one_progress ON sendonce.effects (job_id) WHERE kind = 'progress';
-- A part is put into its chat by one effect, ever: nothing is sent by two.
CREATE UNIQUE INDEX effects_one_placing ON sendonce.effects (part_id) WHERE kind IN ('show', 'send');

CREATE TABLE sendonce.attempts (
    id        uuid PRIMARY KEY,
    effect_id uuid NOT NULL REFERENCES sendonce.effects,
    job_id    uuid NOT NULL,
    no        integer NOT NULL CHECK (no >= 1),
    at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (effect_id, no)
);
CREATE INDEX attempts_of_job ON sendonce.attempts (job_id);
CREATE TRIGGER attempts_insert_only BEFORE UPDATE OR DELETE ON sendonce.attempts
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();

-- What anybody ever said about an attempt, also when it moved nothing.
CREATE TABLE sendonce.evidence (
    id         text PRIMARY KEY, -- the outcome message's id
    attempt_id uuid NOT NULL,
    job_id     uuid NOT NULL,
    kind       text NOT NULL,
    detail     jsonb NOT NULL,
    moved      boolean NOT NULL, -- false: a stale token, kept all the same
    at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX evidence_of_job ON sendonce.evidence (job_id);
CREATE TRIGGER evidence_insert_only BEFORE UPDATE OR DELETE ON sendonce.evidence
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();

-- Where a report and whoever learns a task id meet: both upsert and lock this row, so that an orphan is
-- matched in one of the two transactions, always.
CREATE TABLE sendonce.tasks (
    task_id text PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- KIE may use one id for two operations (Veo's 4K call answers with its parent's id), so the owner is
-- known by all four.
CREATE TABLE sendonce.task_owners (
    account   text NOT NULL,
    family    text NOT NULL,
    operation text NOT NULL,
    task_id   text NOT NULL REFERENCES sendonce.tasks,
    job_id    uuid NOT NULL REFERENCES sendonce.jobs,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, family, operation, task_id)
);
CREATE INDEX task_owners_task ON sendonce.task_owners (task_id);
CREATE INDEX task_owners_job ON sendonce.task_owners (job_id);

CREATE TABLE sendonce.orphans (
    id       uuid PRIMARY KEY,
    task_id  text NOT NULL UNIQUE,
    state    text NOT NULL CHECK (state IN ('waiting', 'matched', 'expired')), -- expired → matched, waiting
    seen_at  timestamptz NOT NULL DEFAULT now(),
    job_id   uuid REFERENCES sendonce.jobs,
    matched_at timestamptz,
    CHECK ((state = 'matched') = (job_id IS NOT NULL)),
    CHECK ((state = 'matched') = (matched_at IS NOT NULL))
);
CREATE INDEX orphans_waiting ON sendonce.orphans (seen_at) WHERE state = 'waiting';

-- The inbox: one row a report, by its id.
CREATE TABLE sendonce.reports (
    id          text PRIMARY KEY,
    job_id      uuid,
    task_id     text,
    origin      text NOT NULL CHECK (origin IN ('callback', 'poll')),
    trust       text NOT NULL CHECK (trust IN ('trusted', 'confirm', 'untrusted')),
    state       text NOT NULL,
    digest      text NOT NULL,
    hmac        text NOT NULL,
    message     jsonb NOT NULL, -- the report as it was received, to be applied again when matched
    received_at timestamptz NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reports_of_job ON sendonce.reports (job_id);
CREATE INDEX reports_of_task ON sendonce.reports (task_id);

CREATE TABLE sendonce.wallets (
    bot      text NOT NULL REFERENCES sendonce.bots,
    user_id  bigint NOT NULL,
    currency text NOT NULL,
    balance  bigint NOT NULL CHECK (balance >= 0), -- free to spend, minor units
    held     bigint NOT NULL CHECK (held >= 0),
    PRIMARY KEY (bot, user_id, currency)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);

-- Double entry as transfers: every row takes `amount` from one account and gives it to another, so the sum
-- over all accounts is zero by construction. System accounts have no balance row: no hot row.
CREATE TABLE sendonce.ledger (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bot       text NOT NULL,
    user_id   bigint NOT NULL,
    currency  text NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('topup', 'hold', 'capture', 'release', 'refund')),
    amount    bigint NOT NULL CHECK (amount > 0),
    debit     text NOT NULL CHECK (debit IN ('external', 'balance', 'held', 'revenue')),
    credit    text NOT NULL CHECK (credit IN ('external', 'balance', 'held', 'revenue')),
    job_id    uuid REFERENCES sendonce.jobs,
    reference text,
    refunds   bigint UNIQUE REFERENCES sendonce.ledger, -- a refund names its capture, once
    at        timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (bot, user_id, currency) REFERENCES sendonce.wallets,
    CHECK ((kind, debit, credit) IN (
        ('topup', 'external', 'balance'), ('hold', 'balance', 'held'), ('capture', 'held', 'revenue'),
        ('release', 'held', 'balance'), ('refund', 'revenue', 'balance'))),
    CHECK ((kind = 'topup') = (reference IS NOT NULL)),
    CHECK ((kind = 'topup') = (job_id IS NULL)),
    CHECK ((kind = 'refund') = (refunds IS NOT NULL))
);
CREATE UNIQUE INDEX ledger_one_hold ON sendonce.ledger (job_id) WHERE kind = 'hold';
CREATE UNIQUE INDEX ledger_one_settlement ON sendonce.ledger (job_id) WHERE kind IN ('capture', 'release');
CREATE UNIQUE INDEX ledger_topup_once ON sendonce.ledger (bot, reference) WHERE kind = 'topup';
CREATE INDEX ledger_of_wallet ON sendonce.ledger (bot, user_id, currency, id);
CREATE INDEX ledger_of_job ON sendonce.ledger (job_id);
CREATE TRIGGER ledger_insert_only BEFORE UPDATE OR DELETE ON sendonce.ledger
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();

-- The history of every job, and what a bot reads with `changes(after)`.
CREATE TABLE sendonce.events (
    -- Taken under a lock of the bot that is held until the commit: within a bot the order of seq is the order
    -- of commits, so a reader that remembers the last seq misses nothing.
    seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bot    text NOT NULL,
    job_id uuid NOT NULL,
    event  text NOT NULL,
    message jsonb NOT NULL,
    at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_of_bot ON sendonce.events (bot, seq);
CREATE INDEX events_of_job ON sendonce.events (job_id);

-- Written in the transaction of its cause, already leased by the writer, deleted after the PubAck.
CREATE TABLE sendonce.outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject      text NOT NULL,
    msg_id       text NOT NULL,
    payload      bytea NOT NULL,
    leased_until timestamptz NOT NULL,
    at           timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 50);
CREATE INDEX outbox_leased ON sendonce.outbox (leased_until);

CREATE TABLE sendonce.dead_letters (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    durable    text NOT NULL,
    subject    text NOT NULL,
    stream_seq bigint NOT NULL,
    payload    bytea NOT NULL,
    reason     text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (durable, subject, stream_seq)
);

-- How long a generation took from its creation; what users are told to expect. Trimmed to the newest.
CREATE TABLE sendonce.durations (
    family    text NOT NULL,
    operation text NOT NULL,
    model     text NOT NULL,
    seconds   real NOT NULL CHECK (seconds >= 0),
    at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX durations_of_kind ON sendonce.durations (family, operation, model, at);
CREATE TRIGGER durations_insert_only BEFORE UPDATE ON sendonce.durations
    FOR EACH ROW EXECUTE FUNCTION sendonce.refuse_change();

-- One row per bot, chat and KIE account: GCRA's theoretical arrival time, and what is parked until when.
CREATE TABLE sendonce.pacing (
    key         text PRIMARY KEY,
    tat         timestamptz NOT NULL,
    tail        timestamptz, -- the end of the queue: whoever is new goes no earlier
    parked_until timestamptz,
    needs_owner text -- why a person must act; create is refused until parked_until
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 50);

-- How far each durable is acknowledged, should its consumer have to be made anew.
CREATE TABLE sendonce.floors (
    durable    text PRIMARY KEY,
    stream_seq bigint NOT NULL
);

-- migrate:down
DROP SCHEMA sendonce CASCADE;
