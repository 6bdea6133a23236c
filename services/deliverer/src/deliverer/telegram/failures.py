"""aiogram's exceptions as plain faults; the only place that knows how they mislead."""

import aiohttp
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    TelegramAPIError,
    TelegramEntityTooLarge,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
)
from pydantic import BaseModel, ConfigDict, ValidationError

from deliverer.domain.faults import TOO_LARGE, ApiError, Broken, Fault, Undecodable
from deliverer.telegram.session import Witness

# No byte of a request can have left us when one of these ended it; telegram.md section 7.2.
BEFORE_SENDING = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)


class _Result(BaseModel):
    model_config = ConfigDict(extra="ignore")

    message_id: int | None = None


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="ignore")

    retry_after: int | None = None
    migrate_to_chat_id: int | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    ok: bool
    result: _Result | list[_Result] | bool | None = None
    error_code: int = 0
    description: str = ""
    parameters: _Parameters = _Parameters()


def fault_of(problem: AiogramError | OSError, witness: Witness) -> Fault:
    """Say what happened, in words that carry no token and no text of a user."""
    match problem:
        case ClientDecodeError():
            return _unreadable(problem, witness)
        case TelegramRetryAfter():
            return ApiError(
                code=witness.status, text=problem.message, retry_after=int(problem.retry_after)
            )
        case TelegramMigrateToChat():
            return ApiError(
                code=witness.status, text=problem.message, migrate_to=problem.migrate_to_chat_id
            )
        case TelegramEntityTooLarge():
            return ApiError(code=TOO_LARGE, text=problem.message)
        case TelegramNetworkError():
            return _broken(problem.__cause__, witness)
        case TelegramAPIError():
            return ApiError(code=witness.status, text=problem.message or "no description")
        case _:
            return Broken(reason=type(problem).__name__, left_us=witness.left_us)


def _broken(cause: BaseException | None, witness: Witness) -> Broken:
    # Only the type: the text of some of these quotes the address, and the address the token.
    never_left = isinstance(cause, BEFORE_SENDING) or not witness.left_us
    return Broken(
        reason=type(cause).__name__,
        left_us=not never_left,
        distrusted=isinstance(cause, aiohttp.ClientConnectorCertificateError),
    )


def _unreadable(problem: ClientDecodeError, witness: Witness) -> Fault:
    if witness.status == TOO_LARGE:
        return ApiError(code=TOO_LARGE, text="request entity too large")
    try:
        answer = _Answer.model_validate(problem.data)
    except ValidationError:
        return Broken(reason=f"HTTP {witness.status} with an unreadable body", left_us=True)
    if not answer.ok:
        return ApiError(
            code=answer.error_code or witness.status,
            text=answer.description,
            retry_after=answer.parameters.retry_after,
            migrate_to=answer.parameters.migrate_to_chat_id,
        )
    match answer.result:
        case _Result(message_id=known):
            return Undecodable(message_id=known)
        case list() as album:
            known_ids = [one.message_id for one in album if one.message_id is not None]
            # Some of an album's ids would be told as all of them: none, then.
            whole = len(known_ids) == len(album)
            return Undecodable(message_id=None, album_ids=tuple(known_ids) if whole else ())
        case _:
            return Undecodable(message_id=None)
