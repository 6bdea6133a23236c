"""The sabotaged builds: what is missing in which service, and which item must say so."""

from dataclasses import dataclass
from typing import Final

STORE, GATEWAY, SUBMITTER, RECONCILER, DELIVERER = (
    "job_store",
    "callback_gateway",
    "submitter",
    "reconciler",
    "deliverer",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A system with one capability gutted: in a service by name (guts.py), or in the database by SQL."""

    gut: str
    phase: str
    item: str  # of the phase; at least this one must fail
    service: str | None = None
    harm: str = ""  # SQL, instead of a service
    undo: str = ""
    smoke: str | None = (
        None  # the first phase of the smoke test that fails, too; none: not on its way
    )
    is_alone: bool = False  # nothing else of the whole check may fail

    @property
    def name(self) -> str:
        """What is told of it."""
        return self.gut.replace("_", " ")


def _store(gut: str, phase: str, item: str, **more: object) -> Build:
    return Build(service=STORE, gut=gut, phase=phase, item=item, **more)  # type: ignore[arg-type]


def _gateway(gut: str, item: str, **more: object) -> Build:
    return Build(service=GATEWAY, gut=gut, phase="callbacks", item=item, **more)  # type: ignore[arg-type]


def _deliverer(gut: str, item: str, **more: object) -> Build:
    return Build(service=DELIVERER, gut=gut, phase="delivery", item=item, **more)  # type: ignore[arg-type]


def _schema(gut: str, item: str, *, harm: str, undo: str) -> Build:
    return Build(gut=gut, phase="migrations", item=item, harm=harm, undo=undo, is_alone=True)


_NEWEST: Final = "(SELECT max(version) FROM public.sendonce_migrations)"

BUILDS: Final = (
    _store("undelivered_lists_nothing", "storage", "undelivered", smoke="undelivered"),
    _store("tasks_are_not_found", "storage", "find_by_task_id", smoke="task", is_alone=True),
    _store("events_are_forgotten", "storage", "changes", smoke="delivery", is_alone=True),
    _store("every_bot_sees_every_job", "storage", "tenants apart", is_alone=True),
    _store("keys_are_not_remembered", "idempotency", "the same key again", smoke="job"),
    _store("balances_are_not_looked_at", "atomic", "hold at once from one balance"),
    _store("an_end_is_no_end", "atomic", "no way back"),
    _gateway("one_place_of_the_task_id", "places of the task id"),
    _gateway("no_suno_music", "dialect: suno music", is_alone=True),
    _gateway("unknown_states_are_failures", "an unknown state", is_alone=True),
    _gateway("forged_addresses_are_taken", "refusals", is_alone=True),
    _gateway("callbacks_are_answered_and_lost", "an orphan finds its job", smoke="callback"),
    _store("strangers_are_believed", "callbacks", "a stranger's callback", smoke="callback"),
    _store("orphans_are_not_kept", "callbacks", "an orphan finds its job", smoke="orphan"),
    _store("orphans_are_not_matched", "callbacks", "an orphan finds its job", smoke="orphan"),
    _store("expired_orphans_stay_so", "callbacks", "an orphan that comes again", is_alone=True),
    _deliverer("results_are_shown_twice", "text", smoke="callback"),
    _deliverer("nothing_is_shown_and_all_is_said_done", "image", smoke="callback"),
    _deliverer("videos_are_documents", "video", is_alone=True),
    _store("what_is_shown_is_delivered_again", "delivery", "no second showing by hand"),
    _store("a_migration_has_no_way_back", "migrations", "reversible", is_alone=True),
    _schema(
        "a_constraint_is_gone",
        "tables and constraints",
        harm="ALTER TABLE sendonce.jobs DROP CONSTRAINT jobs_paid_for",
        undo="ALTER TABLE sendonce.jobs ADD CONSTRAINT jobs_paid_for CHECK (state NOT IN ('succeeded',"
        " 'delivered') OR money IN ('none', 'captured', 'waived', 'refunded')) NOT VALID",
    ),
    _schema(
        "an_applied_migration_was_edited",
        "checksummed",
        harm=f"UPDATE sendonce.migration_checksums SET sha256 = reverse(sha256) WHERE version = {_NEWEST}",
        undo=f"UPDATE sendonce.migration_checksums SET sha256 = reverse(sha256) WHERE version = {_NEWEST}",
    ),
    _schema(
        "a_migration_is_not_applied",
        "applied",
        harm="UPDATE public.sendonce_migrations SET version = 'x' || version WHERE version = '20261130000001'",
        undo="UPDATE public.sendonce_migrations SET version = '20261130000001' WHERE version LIKE 'x%'",
    ),
    _store("requests_are_not_compared", "idempotency", "the same key for something else", is_alone=True),
    _store("a_reference_credits_again", "idempotency", "the same payment again", smoke="user"),
    _store("nothing_is_captured", "balance", "capture", smoke="callback"),
    _store("nothing_is_released", "balance", "release"),
    _store("nothing_is_refunded", "balance", "refund", is_alone=True),
    _store("the_ledger_is_not_written", "balance", "ledger", smoke="job"),
)  # fmt: skip
# On the way of the smoke test alone: no check may buy anything from KIE.
SMOKED: Final = (
    Build(
        gut="kie_is_never_asked_to_make_anything",
        service=SUBMITTER,
        phase="",
        item="",
        smoke="task",
    ),
    Build(
        gut="kie_is_never_asked_how_it_went",
        service=RECONCILER,
        phase="",
        item="",
        smoke="callback",
    ),
)

# In `make test`: one of the database, the door, the judge and the hand, found without waiting.
TRIED: Final = (
    "a constraint is gone",
    "forged addresses are taken",
    "the ledger is not written",
    "results are shown twice",
)
