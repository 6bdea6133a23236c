"""KIE's createTask; the only room that knows libs/kie and where the keys of accounts are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

import httpx
from pydantic import SecretStr

from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.submissions import SubmissionRequested, SubmissionResult, TaskCreated
from contracts.values import FailureClass
from kie import api, classes
from submitter import domain

DEFAULT_ACCOUNT: Final = "default"
UNREACHED_DELAY: Final = 5.0  # seconds until a KIE that could not be reached is tried again
BUSY_DELAY: Final = 3.0  # KIE counts over 10 s; job-store paces whoever comes after
MAINTENANCE_DELAY: Final = 15.0
OWNER_DELAY: Final = 60.0  # a person tops up or changes the key; until then one try a minute
_MAINTENANCE: Final = "455"


class Accounts:
    """Keys by account reference, read for every call so that a changed file counts at once."""

    def __init__(self, *, default: SecretStr | None, directory: Path | None) -> None:
        self._default = default
        self._directory = directory

    def key(self, account: str) -> str | None:
        """Return the key; None when nobody has put one there."""
        if account == DEFAULT_ACCOUNT and self._default is not None:
            text = self._default.get_secret_value()
            return text if domain.is_key(text) else None
        if self._directory is None or not domain.is_account_file(account):
            return None
        try:
            text = (self._directory / account).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return text if domain.is_key(text) else None


class Kie:
    def __init__(self, http: httpx.AsyncClient, *, base_url: str, accounts: Accounts) -> None:
        self._http = http
        self._base_url = base_url
        self._accounts = accounts

    @classmethod
    @asynccontextmanager
    async def connected(cls, base_url: str, *, accounts: Accounts) -> AsyncIterator[Self]:
        async with api.http_client() as http:
            yield cls(http, base_url=base_url, accounts=accounts)

    async def create(self, request: SubmissionRequested) -> SubmissionResult:
        """Make the one call and say what its answer, or the lack of one, proves."""
        key = self._accounts.key(request.account)
        if key is None:
            return _owner_must_act(f"there is no KIE key for account {request.account}")
        if not isinstance(request.input, dict):
            reason = "the input of a task must be an object"
            return Refused(code="input_unfit", reason=reason, failure=FailureClass.BAD_INPUT)
        client = api.KieApi(
            self._http, base_url=self._base_url, api_key=key, call_timeout=request.call_timeout
        )
        answer = await client.create_task(
            family=request.family,
            model=request.model,
            input=request.input,
            callback_url=request.callback_url,
        )
        return result_of(answer, family=request.family)


def result_of(answer: api.Creation, *, family: str) -> SubmissionResult:
    match answer:
        case api.Created(task_id=task_id) if domain.is_task_id(task_id):
            return TaskCreated(task_id=task_id)
        case api.Created(task_id=task_id):
            return Ambiguous(reason=domain.line(f"created under an unusable task id {task_id}"))
        case api.Ambiguous(reason=reason, task_id=None):
            return Ambiguous(reason=domain.line(reason))
        case api.Ambiguous(reason=reason, task_id=task_id):
            return Ambiguous(reason=domain.line(f"{reason}: {task_id}"))
        case api.NotCreated():
            return _not_created(answer, family=family)


def _not_created(answer: api.NotCreated, *, family: str) -> SubmissionResult:
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
            failure = classes.class_of(family=family, code=answer.code, message=answer.message)
            return Refused(
                code=domain.word(answer.code or "", otherwise="refused"),
                reason=said,
                failure=FailureClass(failure.value),
            )


def _owner_must_act(reason: str) -> Later:
    return Later(reason=domain.line(reason), after=OWNER_DELAY, scope="account", needs_owner=True)
