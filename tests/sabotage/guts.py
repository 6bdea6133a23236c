"""What is taken out of a service: each function changes one process that was just forked, before it serves."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from callback_gateway.handlers import Handlers
from chassis.bus import Stored
from contracts.outcomes import Ambiguous
from contracts.reports import Reading, ReportState
from contracts.values import JobState, MediaKind
from deliverer.domain.answers import Done
from deliverer.domain.bodies import Way
from deliverer.domain.posts import Place
from deliverer.handlers import editing
from deliverer.telegram.calls import Telegram
from job_store.domain import money, repair, reports
from job_store.store import admission, creation, ledger, requests, schema, unit
from kie import dialects, reported, task_ids, tokens
from kie.values import Reading as KieReading
from kie.values import State
from reconciler import domain as reconciling
from reconciler.kie import Kie as PollingKie
from submitter.kie import Kie as CreatingKie

Gut = Callable[[], None]
GUTS: Final[dict[str, Gut]] = {}


def gut(function: Gut) -> Gut:
    """Keep it by its name."""
    GUTS[function.__name__] = function
    return function


def altered(queries: Any, name: str, stands: str, instead: str) -> None:
    """Change a loaded statement; it must stand as it is said to."""
    text = queries[name]
    if text.count(stands) != 1:
        raise LookupError(f"{name}: {stands!r} stands {text.count(stands)} times")
    queries._texts[name] = text.replace(stands, instead)


def replaced(holder: Any, **names: object) -> None:
    """Put something else in the place of what a module or class has by these names."""
    for name, instead in names.items():
        getattr(holder, name)  # what is not there cannot be missed
        setattr(holder, name, instead)


# -- job-store: storage ------------------------------------------------------------------------------------


@gut
def undelivered_lists_nothing() -> None:
    altered(requests.sql, "undelivered", "state = 'succeeded'", "state = 'none'")


@gut
def tasks_are_not_found() -> None:
    altered(requests.sql, "job_ids_of_task", "o.task_id = $1", "o.task_id = $1 || ' '")


@gut
def events_are_forgotten() -> None:
    altered(requests.sql, "changes", "seq > $2", "seq < 0 AND seq > $2")


@gut
def every_bot_sees_every_job() -> None:
    replaced(requests, _own=lambda _bot, cases: next(iter(cases.values()), None))


# -- job-store: one thing at a time ------------------------------------------------------------------------


@gut
def keys_are_not_remembered() -> None:
    async def nothing(*_: object) -> dict[object, object]:
        return {}

    replaced(creation, _known=nothing)


@gut
def requests_are_not_compared() -> None:
    replaced(
        creation,
        _same_or_conflict=lambda _item, job_id, _digest: creation.Created(job_id, is_new=False),
    )


@gut
def balances_are_not_looked_at() -> None:
    class Rich(dict[object, int]):
        def get(self, key: object, default: object = None) -> int:
            return super().get(key, 0) or 10**9

    async def rich(*_: object) -> Rich:
        return Rich()

    replaced(admission, _lock_wallets=rich)


@gut
def an_end_is_no_end() -> None:
    replaced(reports, OPEN=frozenset(JobState))


@gut
def a_reference_credits_again() -> None:
    altered(requests.sql, "topup", "$5)", "$5 || '-' || clock_timestamp())")


# -- job-store: whom it believes ---------------------------------------------------------------------------


@gut
def strangers_are_believed() -> None:
    replaced(reports, trust=lambda *_, **__: reports.Trust.TRUSTED)


@gut
def orphans_are_not_kept() -> None:
    altered(unit.sql, "keep_orphans", "AS n (i, t)", "AS n (i, t) WHERE false")


@gut
def orphans_are_not_matched() -> None:
    async def refuse_only(self: unit.Transaction) -> None:
        self._refuse_taken_tasks()

    replaced(unit.Transaction, match_orphans=refuse_only)


@gut
def expired_orphans_stay_so() -> None:
    altered(unit.sql, "keep_orphans", "orphans.state = 'expired'", "false")


# -- job-store: money --------------------------------------------------------------------------------------


def _moves_nothing(*_: object, **__: object) -> None:
    return None


@gut
def nothing_is_captured() -> None:
    replaced(money, capture=_moves_nothing)


@gut
def nothing_is_released() -> None:
    replaced(money, release=_moves_nothing)


@gut
def nothing_is_refunded() -> None:
    replaced(money, refund=_moves_nothing)


@gut
def the_ledger_is_not_written() -> None:
    altered(
        ledger.sql, "insert_transfers", "(NULL::ledger, $1) n", "(NULL::ledger, $1) n WHERE false"
    )


# -- job-store: repairs and migrations ---------------------------------------------------------------------


@gut
def what_is_shown_is_delivered_again() -> None:
    replaced(repair, redeliver=_moves_nothing)


@gut
def a_migration_has_no_way_back() -> None:

    one_way = tuple(replace(one, reversible=False) for one in schema.shipped())
    replaced(schema, shipped=lambda: one_way)


# -- callback-gateway --------------------------------------------------------------------------------------


@gut
def one_place_of_the_task_id() -> None:

    replaced(task_ids, PLACES=("data.taskId",))


@gut
def no_suno_music() -> None:
    rest = tuple(one for one in dialects._OF_CALLBACKS if "suno_music" not in one.dialect.families)
    replaced(dialects, _OF_CALLBACKS=rest)


@gut
def unknown_states_are_failures() -> None:
    read = reported.reading_of

    def failing(found: Any) -> Reading:
        reading = read(found)
        if reading.state is not ReportState.UNKNOWN:
            return reading
        return reading.model_copy(update={"state": ReportState.FAILED})

    replaced(reported, reading_of=failing)


@gut
def forged_addresses_are_taken() -> None:
    read = tokens.read

    def trusting(text: str, keys: Mapping[str, bytes]) -> object:
        found = read(text, keys)
        return read(text, {}) if isinstance(found, tokens.Forged) else found

    replaced(tokens, read=trusting)


@gut
def callbacks_are_answered_and_lost() -> None:
    async def stored(*_: object, **__: object) -> Stored:
        return Stored(stream="REPORTS", seq=1, duplicate=False)

    replaced(Handlers, _stored=stored)


# -- deliverer ---------------------------------------------------------------------------------------------


@gut
def results_are_shown_twice() -> None:
    edit = Telegram.edit

    async def twice(self: Telegram, ref: str, chat_id: int, message_id: int, body: Any) -> object:
        answer = await edit(self, ref, chat_id, message_id, body)
        place = Place(chat_id=chat_id, thread_id=None, reply_to=None, protect=False)
        await self.send(ref, place, (body,), silent=True, within=5.0)
        return answer

    replaced(Telegram, edit=twice)


@gut
def nothing_is_shown_and_all_is_said_done() -> None:
    async def done(_self: Telegram, _ref: str, _chat: int, message_id: int, _body: Any) -> Done:
        return Done(message_id=message_id)

    replaced(Telegram, edit=done)


@gut
def videos_are_documents() -> None:
    first = editing.first_way

    def way(content: Any, **more: Any) -> Way | None:
        return Way.DOCUMENT if content.kind is MediaKind.VIDEO else first(content, **more)

    replaced(editing, first_way=way)


# -- submitter and reconciler ------------------------------------------------------------------------------


@gut
def kie_is_never_asked_to_make_anything() -> None:
    async def silence(*_: object) -> Ambiguous:
        return Ambiguous(reason="nobody answered")

    replaced(CreatingKie, create=silence)


@gut
def kie_is_never_asked_how_it_went() -> None:
    async def silence(_self: PollingKie, request: Any) -> reconciling.Answer:
        return reconciling.Answer(
            b"", KieReading(task_id=None, state=State.TRANSIENT_ERROR, family=request.family)
        )

    replaced(PollingKie, poll=silence)
