"""The tables of the migrations as the journal keeps them; a test holds them against the migrated schema.

Each table stands below those that it names.
"""

from typing import Final

from job_store.journal.spec import NEXT, NOW, Index, Named, Spec, by, columns, unique
from job_store.journal.values import Row

BOTS: Final = Spec(
    name="bots",
    key=("slug",),
    columns=columns(
        "slug text, token_ref text, kie_account text, currency text, language text, texts jsonb,"
        " rich boolean, staging_chat bigint?, created_at timestamptz, pauses jsonb"
    ),
    defaults={"texts": {}, "rich": False, "created_at": NOW, "pauses": {}},
)
JOBS: Final = Spec(
    name="jobs",
    key=("id",),
    columns=columns(
        "id uuid, bot text, key text, digest text, door text, state text, version integer, chat_id bigint,"
        " thread_id bigint?, reply_to bigint?, user_id bigint, language text, deliver boolean, notify text,"
        " caption text, caption_entities jsonb, mode text, buttons jsonb, protect boolean, originals boolean,"
        " voice boolean, account text, family text, operation text, model text, input jsonb, price bigint,"
        " currency text, money text, status_message_id bigint?, status_at timestamptz?,"
        " status_unclear_until timestamptz?, delivery_no integer, progress real?, progress_at timestamptz?,"
        " cause text?, failure text?, error text?, created_at timestamptz, expires_at timestamptz,"
        " ended_at timestamptz?, prompt_gone_at timestamptz?, media_gone_at timestamptz?,"
        " forgotten_at timestamptz?"
    ),
    defaults={
        "mode": "edit",
        "buttons": [],
        "protect": False,
        "originals": False,
        "voice": False,
        "delivery_no": 0,
        "created_at": NOW,
    },
    indexes=(
        *by("state"),
        unique("jobs_bot_key_key", "bot key"),
        unique("jobs_status_message", "bot chat_id status_message_id"),
        Index("chat", ("bot", "chat_id")),
        Index("wallet", ("bot", "user_id", "currency")),
        Index("user", ("bot", "user_id")),
        Index("with_prompt", (), lambda job: job["ended_at"] and not job["prompt_gone_at"]),
        Index("with_media", (), lambda job: job["ended_at"] and not job["media_gone_at"]),
    ),
    references=(("bot", "bots"),),
)
PARTS: Final = Spec(
    name="parts",
    key=("id",),
    columns=columns(
        "id uuid, job_id uuid, delivery_no integer, ordinal integer, kind text, url text?, text text,"
        " entities jsonb, body text?, name text?, items jsonb, buttons jsonb, album integer?,"
        " made_at timestamptz, state text, carrier_no integer, carrier_posts integer, message_id bigint?,"
        " file_id text?, edit_maybe_applied boolean, showings integer, refusal text?, shown_at timestamptz?"
    ),
    defaults={
        "items": [],
        "buttons": [],
        "made_at": NOW,
        "carrier_no": 1,
        "carrier_posts": 0,
        "edit_maybe_applied": False,
        "showings": 0,
    },
    indexes=(
        *by("job_id", "state"),
        Index("doubled", (), lambda part: part["showings"] > 1),
        unique("parts_job_id_delivery_no_ordinal_key", "job_id delivery_no ordinal"),
    ),
    references=(("job_id", "jobs"),),
)


def _is_forgotten(carrier: Row, of: Named) -> bool:
    """In which chat a part stood is kept until its user is forgotten."""
    job_id = of("parts", carrier["part_id"])["job_id"]
    return of("jobs", job_id)["forgotten_at"] is not None


CARRIERS: Final = Spec(
    name="carriers",
    key=("bot", "chat_id", "message_id"),
    columns=columns(
        "bot text, chat_id bigint, message_id bigint, part_id uuid, no integer, at timestamptz"
    ),
    defaults={"at": NOW},
    indexes=(*by("part_id"), unique("carriers_part_id_no_key", "part_id no")),
    references=(("part_id", "parts"),),
    insert_only=True,
    may_go=_is_forgotten,
)
EFFECTS: Final = Spec(
    name="effects",
    key=("id",),
    columns=columns(
        "id uuid, job_id uuid, kind text, part_id uuid?, item integer?, message_id bigint?, text text?,"
        " state text, due_at timestamptz, queued boolean, claimed_at timestamptz?, attempts integer,"
        " failures integer, open_attempt uuid?, lease_until timestamptz?, holder uuid?, trace text?"
    ),
    defaults={"queued": False, "attempts": 0, "failures": 0},
    indexes=(
        *by("job_id", "state"),
        unique("effects_one_submit", "job_id", lambda effect: effect["kind"] == "submit"),
        unique("effects_one_poll", "job_id", lambda effect: effect["kind"] == "poll"),
        unique("effects_one_progress", "job_id", lambda effect: effect["kind"] == "progress"),
        unique("effects_one_placing", "part_id", lambda effect: effect["kind"] in ("show", "send")),
    ),
    references=(("job_id", "jobs"), ("part_id", "parts")),
)
ATTEMPTS: Final = Spec(
    name="attempts",
    key=("id",),
    columns=columns("id uuid, effect_id uuid, job_id uuid, no integer, at timestamptz"),
    defaults={"at": NOW},
    indexes=(*by("job_id"), unique("attempts_effect_id_no_key", "effect_id no")),
    references=(("effect_id", "effects"),),
    insert_only=True,
)
EVIDENCE: Final = Spec(
    name="evidence",
    key=("id",),
    columns=columns(
        "id text, attempt_id uuid, job_id uuid, kind text, detail jsonb, moved boolean, at timestamptz"
    ),
    defaults={"at": NOW},
    indexes=by("job_id"),
    insert_only=True,
    may_lessen=("detail",),
)
TASKS: Final = Spec(
    name="tasks",
    key=("task_id",),
    columns=columns("task_id text, seen_at timestamptz"),
    defaults={"seen_at": NOW},
)
TASK_OWNERS: Final = Spec(
    name="task_owners",
    key=("account", "family", "operation", "task_id"),
    columns=columns(
        "account text, family text, operation text, task_id text, job_id uuid, at timestamptz"
    ),
    defaults={"at": NOW},
    indexes=by("task_id", "job_id"),
    references=(("task_id", "tasks"), ("job_id", "jobs")),
)
ORPHANS: Final = Spec(
    name="orphans",
    key=("id",),
    columns=columns(
        "id uuid, task_id text, state text, seen_at timestamptz, job_id uuid?, matched_at timestamptz?"
    ),
    defaults={"seen_at": NOW},
    indexes=(*by("state"), unique("orphans_task_id_key", "task_id")),
    references=(("job_id", "jobs"),),
)
REPORTS: Final = Spec(
    name="reports",
    key=("id",),
    columns=columns(
        "id text, job_id uuid?, task_id text?, origin text, trust text, state text, digest text, hmac text,"
        " message jsonb, received_at timestamptz, applied_at timestamptz, body_gone_at timestamptz?"
    ),
    defaults={"applied_at": NOW},
    indexes=(
        *by("job_id", "task_id", "origin"),
        Index("with_body", (), lambda report: not report["body_gone_at"]),
    ),
)
WALLETS: Final = Spec(
    name="wallets",
    key=("bot", "user_id", "currency"),
    columns=columns("bot text, user_id bigint, currency text, balance bigint, held bigint"),
    references=(("bot", "bots"),),
)
LEDGER: Final = Spec(
    name="ledger",
    key=("id",),
    columns=columns(
        "id bigint, bot text, user_id bigint, currency text, kind text, amount bigint, debit text,"
        " credit text, job_id uuid?, reference text?, refunds bigint?, at timestamptz"
    ),
    defaults={"id": NEXT, "at": NOW},
    indexes=(
        *by("job_id"),
        Index("wallet", ("bot", "user_id", "currency")),
        unique("ledger_refunds_key", "refunds"),
        unique("ledger_one_hold", "job_id", lambda entry: entry["kind"] == "hold"),
        unique(
            "ledger_one_settlement",
            "job_id",
            lambda entry: entry["kind"] in ("capture", "release"),
        ),
        unique("ledger_topup_once", "bot reference", lambda entry: entry["kind"] == "topup"),
    ),
    references=(("job_id", "jobs"), ("refunds", "ledger"), ("bot user_id currency", "wallets")),
    insert_only=True,
)
EVENTS: Final = Spec(
    name="events",
    key=("seq",),
    columns=columns("seq bigint, bot text, job_id uuid, event text, message jsonb, at timestamptz"),
    defaults={"seq": NEXT, "at": NOW},
    indexes=by("bot", "job_id"),
)
OUTBOX: Final = Spec(
    name="outbox",
    key=("id",),
    columns=columns(
        "id bigint, subject text, msg_id text, payload bytea, leased_until timestamptz, at timestamptz,"
        " trace text?"
    ),
    defaults={"id": NEXT, "at": NOW},
)
DEAD_LETTERS: Final = Spec(
    name="dead_letters",
    key=("id",),
    columns=columns(
        "id bigint, durable text, subject text, stream_seq bigint, payload bytea, reason text,"
        " at timestamptz, settled_at timestamptz?, settled_as text?"
    ),
    defaults={"id": NEXT, "at": NOW},
    indexes=(
        unique("dead_letters_durable_subject_stream_seq_key", "durable subject stream_seq"),
        Index("place", ("durable", "stream_seq")),
    ),
)
DURATIONS: Final = Spec(
    name="durations",
    key=(),  # rows that may be equal
    columns=columns("family text, operation text, model text, seconds real, at timestamptz"),
    defaults={"at": NOW},
    indexes=(Index("kind", ("family", "operation", "model")),),
)
PACING: Final = Spec(
    name="pacing",
    key=("key",),
    columns=columns(
        "key text, tat timestamptz, tail timestamptz?, parked_until timestamptz?, needs_owner text?, credits float8?"
    ),
)
FLOORS: Final = Spec(
    name="floors", key=("durable",), columns=columns("durable text, stream_seq bigint")
)
RESTORES: Final = Spec(
    name="restores",
    key=("id",),
    columns=columns(
        "id bigint, found_at timestamptz, durable text, missing text, phase text, resumed_at timestamptz?"
    ),
    defaults={"id": NEXT, "found_at": NOW, "phase": "found"},
    indexes=(unique("restores_open", "", lambda restore: restore["resumed_at"] is None),),
)
AUDIT: Final = Spec(
    name="audit",
    key=("id",),
    columns=columns(
        "id bigint, at timestamptz, who text, why text, verb text, target text, job_id uuid?, detail text"
    ),
    defaults={"id": NEXT, "at": NOW, "detail": ""},
    indexes=by("job_id"),
    insert_only=True,
)
