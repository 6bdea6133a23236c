"""Creating jobs: idempotency key, request digest and hold in one transaction for many requests."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import DataError, UniqueViolationError
from pydantic import JsonValue

from chassis.queries import load
from contracts.api import CreateJob, DeliverJob, ExpectJob, JobView
from contracts.refusals import Refusal, RefusalName
from contracts.values import JobState, new_id
from job_store.domain import delivery, lifecycle, money
from job_store.domain.case import Case
from job_store.domain.rows import Bot, Door, Job
from job_store.store.admission import Admission, currency_of
from job_store.store.unit import Transaction, Units
from job_store.store.views import view_of

sql = load("job_store.store", "creation.sql")

Request = CreateJob | ExpectJob | DeliverJob
DOORS: dict[type[Request], Door] = {
    CreateJob: Door.CREATE,
    ExpectJob: Door.EXPECT,
    DeliverJob: Door.DELIVER,
}


@dataclass(frozen=True, slots=True)
class Creation:
    """One request of one bot."""

    bot: str
    request: Request

    @property
    def digest(self) -> str:
        """What must be equal for the same key to mean the same job.

        Neither the call's deadline nor the status message: a handler that runs again for the same tap may
        have posted another. Defaults are left out, so that a field added later changes no old digest.
        """
        door = DOORS[type(self.request)]
        asked = self.request.model_dump(
            mode="json", exclude={"not_after", "status"}, exclude_defaults=True
        )
        body = json.dumps(asked, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(f"{door}:{body}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Created:
    job_id: UUID
    is_new: bool
    view: JobView | None = None  # of a job that was known it must be read first


class Creations:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def create(self, batch: list[Creation]) -> list[Created | Refusal]:
        """Create jobs; a known key answers with its job, a refusal changes nothing."""
        try:
            return await self._create(batch)
        except UniqueViolationError:
            # Another replica took a key or a status message between our look and our commit.
            return await self._create(batch)
        except DataError:
            if len(batch) > 1:
                raise  # tried one by one by whoever made the batch
            return [
                Refusal(
                    code=RefusalName.INVALID_REQUEST,
                    message="the request holds a value that cannot be stored, such as NaN or an endless number",
                    hint="correct the input; nothing was changed",
                )
            ]

    async def _create(self, batch: list[Creation]) -> list[Created | Refusal]:
        async with self._units.begin() as tx:
            now: datetime = await tx.connection.fetchval(sql.now)
            asks = [(item.bot, item.request) for item in batch]
            admission = await Admission.open(tx, asks, now)
            # Only now: who waited for a wallet may have waited for the other tap of the same key.
            known = await _known(tx, batch)
            taken = await _taken_statuses(tx, batch)
            answers: list[Created | Refusal] = []
            for item in batch:
                answer = known.get((item.bot, item.request.key))
                if answer is not None:
                    answers.append(_same_or_conflict(item, *answer))
                    continue
                bot = admission.admit(item.bot, item.request)
                if isinstance(bot, Refusal):
                    if bot.limit is not None:
                        tx.tally.limited.append((item.bot, bot.limit))
                    answers.append(bot)
                    continue
                case = _case(item, bot, now, tx, taken)
                tx.cases[case.job.id] = case
                known[item.bot, item.request.key] = (case.job.id, item.digest)
                view = view_of(case, tx.rules, created=True)
                answers.append(Created(case.job.id, is_new=True, view=view))
            await admission.close(tx)
            return answers


async def _known(tx: Transaction, batch: list[Creation]) -> dict[tuple[str, str], tuple[UUID, str]]:
    rows = await tx.connection.fetch(
        sql.jobs_by_key, [item.bot for item in batch], [item.request.key for item in batch]
    )
    return {(row["bot"], row["key"]): (row["id"], row["digest"]) for row in rows}


def _same_or_conflict(item: Creation, job_id: UUID, digest: str) -> Created | Refusal:
    if digest == item.digest:
        return Created(job_id, is_new=False)
    return Refusal(
        code=RefusalName.KEY_CONFLICT,
        message="this key made a job with another request",
        hint="use a new key for a new request; the same key only repeats the same one",
        job_id=job_id,
    )


async def _taken_statuses(tx: Transaction, batch: list[Creation]) -> set[tuple[str, int, int]]:
    asked = [
        (i.bot, i.request.chat_id, i.request.status)
        for i in batch
        if isinstance(i.request.status, int)
    ]
    if not asked:
        return set()
    columns = [list(column) for column in zip(*asked, strict=True)]
    rows = await tx.connection.fetch(sql.status_messages_taken, *columns)
    return {(row["bot"], row["chat_id"], row["message_id"]) for row in rows}


def _case(
    item: Creation, bot: Bot, now: datetime, tx: Transaction, taken: set[tuple[str, int, int]]
) -> Case:
    request = item.request
    given = request.status if isinstance(request.status, int) else None
    if given is not None and (item.bot, request.chat_id, given) in taken:
        given = None  # it belongs to another job: this one gets a carrier of its own
    elif given is not None:
        taken.add((item.bot, request.chat_id, given))
    case = Case(job=_job(item, bot, now, tx, status=given), bot=bot, now=now, is_new=True)
    lifecycle.open_job(case, request, tx.rules)
    if isinstance(request, DeliverJob):
        case.move(JobState.SUCCEEDED)
        money.capture(case)
        delivery.make_parts(case, request.media)
    return case


def _job(item: Creation, bot: Bot, now: datetime, tx: Transaction, *, status: int | None) -> Job:
    request = item.request
    model, body = _model(request)
    return Job(
        id=new_id(),
        bot=item.bot,
        key=request.key,
        digest=item.digest,
        door=DOORS[type(request)],
        state=JobState.CREATED,
        version=1,
        chat_id=request.chat_id,
        thread_id=request.thread_id,
        reply_to=request.reply_to,
        user_id=request.user_id,
        language=request.language or bot.language,
        deliver=request.deliver or isinstance(request, DeliverJob),
        notify=request.notify,
        caption=request.caption,
        caption_entities=request.caption_entities,
        mode=request.mode,
        buttons=request.buttons,
        protect=request.protect,
        originals=request.originals,
        voice=request.voice,
        account=bot.kie_account,
        family=getattr(request, "family", "market"),
        operation=getattr(request, "operation", "generate"),
        model=model,
        input=body,
        price=request.price,
        currency=currency_of(request, bot),
        status_message_id=status,
        status_at=now if status is not None else None,
        created_at=now,
        expires_at=now + tx.rules.job_ttl,
    )


def _model(request: Request) -> tuple[str, JsonValue]:
    if isinstance(request, CreateJob):
        return request.model, dict(request.input)
    return "", {}
