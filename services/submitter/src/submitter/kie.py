"""KIE's createTask, and the credits it is paid with; the only room that calls libs/kie."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self

import httpx
from pydantic import SecretStr

from chassis.clock import Clock
from chassis.metrics import counter, gauge
from chassis.secrets import Secrets
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.submissions import SubmissionRequested, SubmissionResult, TaskCreated
from contracts.values import FailureClass
from kie import api, classes
from submitter import domain

UNREACHED_DELAY: Final = 5.0  # seconds until a KIE that could not be reached is tried again
BUSY_DELAY: Final = 3.0  # KIE counts over 10 s; job-store paces whoever comes after
MAINTENANCE_DELAY: Final = 15.0
LOOK_TIMEOUT: Final = 10.0  # seconds for one look at the credits
DOUBT_TIMEOUT: Final = (
    5.0  # seconds in which a KIE that is there says so; the lease has room for it
)
OWNER_DELAY: Final = 60.0  # a person tops up or changes the key; until then one try a minute
_MAINTENANCE: Final = "455"
# With which a task is made or certainly not (kie.md section 5.4); others count as "other".
CODES: Final = frozenset(
    str(code)
    for code in (200, 400, 401, 402, 403, 404, 409, 413, 422, 429, 433, 451, 455, 500, 505)
)
WITHOUT_CODE: Final = ("other", "unclear", "unfit", "unreached")

_ANSWERS = counter(
    "kie_create_answers_total",
    "createTask calls by KIE's code.",
    ["code"],
    known=[*sorted(CODES), *WITHOUT_CODE],
)
_CREDITS = gauge("kie_credits", "Credits left at KIE, as it said within the minute.", ["account"])


class Kie:
    def __init__(
        self, http: httpx.AsyncClient, *, base_url: str, keys: Secrets, clock: Clock
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._keys = keys
        self._clock = clock
        self._doubts = domain.Doubts()
        self._asked: dict[str, asyncio.Task[bool]] = {}  # whether KIE is there, by account
        self._called: set[str] = set()
        self._left: dict[str, float] = {}

    @classmethod
    @asynccontextmanager
    async def connected(cls, base_url: str, *, keys: Secrets, clock: Clock) -> AsyncIterator[Self]:
        async with api.http_client() as http:
            yield cls(http, base_url=base_url, keys=keys, clock=clock)

    async def create(self, request: SubmissionRequested) -> SubmissionResult:
        """Make the one call and say what its answer, or the lack of one, proves."""
        key = self._keys.find(request.account)
        if key is None:
            return _owner_must_act(f"there is no KIE key for account {request.account}")
        if not isinstance(request.input, dict):
            reason = "the input of a task must be an object"
            return Refused(code="input_unfit", reason=reason, failure=FailureClass.BAD_INPUT)
        self._called.add(request.account)
        answer = await self._client(key, timeout=request.call_timeout).create_task(
            family=request.family,
            operation=request.operation,
            model=request.model,
            input=request.input,
            callback_url=request.callback_url,
        )
        _ANSWERS.labels(code_of(answer)).inc()
        if isinstance(answer, api.Ambiguous):
            self._doubts.begin(request.account, self._clock.monotonic())
        else:
            self._doubts.end(request.account)
        return result_of(answer)

    async def silence(self, account: str) -> Later | None:
        """Say when to come back to a KIE that does not answer; None when it may be called."""
        key = self._keys.find(account)
        if key is None or not self._doubts.stand(account):
            return None
        if await self._is_there(account, key):
            self._doubts.end(account)
        elif not self._doubts.admit_one(account, self._clock.monotonic()):
            return Later(reason="KIE does not answer", after=UNREACHED_DELAY, scope="account")
        return None

    async def _is_there(self, account: str, key: SecretStr) -> bool:
        """Ask for the credits, once for all who want to know."""
        asked = self._asked.get(account)
        if asked is None:
            asked = self._asked[account] = asyncio.create_task(self._answers(key))
            asked.add_done_callback(lambda _: self._asked.pop(account))
        return await asyncio.shield(asked)

    async def _answers(self, key: SecretStr) -> bool:
        told = await self._client(key, timeout=DOUBT_TIMEOUT).credits()
        return isinstance(told, api.Credits) or told.kind != "later"

    async def look_at_credits(self) -> bool:
        """Show what is left on each account that was called. Returns that there is no more to do."""
        for account in tuple(self._called):
            key = self._keys.find(account)
            left = await self._client(key, timeout=LOOK_TIMEOUT).credits() if key else None
            if isinstance(left, api.Credits):
                _CREDITS.labels(account).set(left.balance)
                self._left[account] = left.balance
            else:
                _CREDITS.remove(account)
                self._left.pop(account, None)
        return False

    def credits_left(self, account: str) -> float | None:
        """Return what the last look found; None when it found nothing, or nobody has looked yet."""
        return self._left.get(account)

    def _client(self, key: SecretStr, *, timeout: float) -> api.KieApi:
        return api.KieApi(
            self._http,
            base_url=self._base_url,
            api_key=key.get_secret_value(),
            call_timeout=timeout,
        )


def code_of(answer: api.Creation) -> str:
    """Name an answer by KIE's code, or by why there is none."""
    match answer:
        case api.Created():
            return "200"
        case api.NotCreated(code=None):
            return "unreached"
        case api.NotCreated(code=code):
            return code if code in CODES else "other"
        case api.Ambiguous():
            return "unclear"
        case api.Unfit():
            return "unfit"


def result_of(answer: api.Creation) -> SubmissionResult:
    match answer:
        case api.Unfit(why=why, message=message):
            # Without a public URL it is the owner who must act, not the user.
            is_owners = why == "callback_url_missing"
            failure = FailureClass.OWNER_ACCOUNT if is_owners else FailureClass.BAD_INPUT
            return Refused(code=why, reason=domain.line(message), failure=failure)
        case api.Created(task_id=task_id) if domain.is_task_id(task_id):
            return TaskCreated(task_id=task_id)
        case api.Created(task_id=task_id):
            return Ambiguous(reason=domain.line(f"created under an unusable task id {task_id}"))
        case api.Ambiguous(reason=reason, task_id=None):
            return Ambiguous(reason=domain.line(reason))
        case api.Ambiguous(reason=reason, task_id=task_id):
            return Ambiguous(reason=domain.line(f"{reason}: {task_id}"))
        case api.NotCreated():
            return _not_created(answer)


def _not_created(answer: api.NotCreated) -> SubmissionResult:
    said = domain.line(": ".join(filter(None, (answer.code, answer.message))) or "no reason given")
    match answer.kind:
        case "owner_account":
            return _owner_must_act(said)
        case "later" if answer.code is None:
            return NotSent(reason=said, after=UNREACHED_DELAY)
        case "later":
            shortest = MAINTENANCE_DELAY if answer.code == _MAINTENANCE else BUSY_DELAY
            after = max(shortest, answer.retry_after or 0.0)
            return Later(reason=said, after=after, scope="account")
        case "refused":
            # No family: their own meanings of a code are about tasks that failed.
            failure = classes.class_of(family=None, code=answer.code, message=answer.message)
            return Refused(
                code=domain.word(answer.code or "", otherwise="refused"),
                reason=said,
                failure=failure,
            )


def _owner_must_act(reason: str) -> Later:
    return Later(reason=domain.line(reason), after=OWNER_DELAY, scope="account", needs_owner=True)
