"""Asking job-store over NATS, as an operator or as a bot, with trouble said in plain words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import nats
import nats.errors
from nats.aio.client import Client
from pydantic import TypeAdapter

from chassis import clock
from chassis.logs import redact
from chassis.nkey import NotASeed, is_seed, public_key
from contracts import subjects
from contracts.api import Request
from contracts.message import Value
from contracts.refusals import ErrorReply, Refusal, RefusalName
from sendonce_cli.settings import chosen
from sendonce_cli.trouble import Trouble, misuse

PATIENCE: Final = timedelta(seconds=10)
CONNECT_WITHIN: Final = 2  # seconds
RECONNECT_AFTER: Final = 0.5  # seconds

View = TypeVar("View", bound=Value)


class Refused(Trouble):
    """Job-store said no, and why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message, hint=refusal.hint)
        self.refusal = refusal


class Desk:
    """One connection over which questions are asked."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def ops(
        self, verb: str, request: type[Request], view: type[View], **fields: object
    ) -> View:
        """Ask an operator's question."""
        return await self._ask(subjects.ops(verb), request, view, fields)

    async def bot(
        self, bot: str, verb: str, request: type[Request], view: type[View], **fields: object
    ) -> View:
        """Ask in the name of a bot."""
        return await self._ask(subjects.api(bot, verb), request, view, fields)

    async def late(
        self, bot: str, verb: str, request: type[Request], view: type[View], **fields: object
    ) -> View:
        """Ask in the name of a bot what should have been asked a while ago."""
        return await self._ask(subjects.api(bot, verb), request, view, fields, ahead=-PATIENCE)

    async def _ask(
        self,
        subject: str,
        request: type[Request],
        view: type[View],
        fields: dict[str, object],
        *,
        ahead: timedelta = PATIENCE,  # from now to the deadline
    ) -> View:
        not_after = clock.SYSTEM.now() + ahead
        asked = request.model_validate({**fields, "not_after": not_after})
        try:
            reply = await self.client.request(
                subject, asked.model_dump_json().encode(), timeout=PATIENCE.total_seconds()
            )
        except nats.errors.NoRespondersError as absent:
            raise Trouble(
                "NATS answers, but job-store does not",
                hint="start the services with `sendonce up`, or look at job-store's log",
            ) from absent
        except (nats.errors.Error, OSError, TimeoutError) as silent:
            raise Trouble(
                f"no answer within {PATIENCE.total_seconds():.0f} s",
                hint="job-store may be busy or cut off from Postgres: see its /readyz and its log",
            ) from silent
        read: ErrorReply | View = TypeAdapter(ErrorReply | view).validate_json(reply.data)
        if isinstance(read, ErrorReply):
            raise Refused(read.error)
        return read


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Connect to the NATS the environment names; trouble if nobody answers there."""
    settings = chosen()
    async with desk_at(settings.nats_url, creds=settings.nats_creds) as asking:
        yield asking


@asynccontextmanager
async def desk_at(url: str, *, creds: Path | None = None) -> AsyncIterator[Desk]:
    """Connect to this NATS; trouble if nobody answers there."""
    client = await connect(url, creds=creds)
    try:
        yield Desk(client)
    finally:
        await client.close()


@asynccontextmanager
async def desk_for_long(url: str, *, creds: Path | None = None) -> AsyncIterator[Desk]:
    """Connect to this NATS, and again whenever it was away; until it is back questions are trouble."""
    client = await connect(url, creds=creds, again=-1)
    try:
        yield Desk(client)
    finally:
        await client.close()


async def connect(
    url: str, *, creds: Path | None = None, inbox: str | None = None, again: int = 0
) -> Client:
    """Connect, without waiting for a server that is away; replies come to an inbox of this user's own.

    `again` says how often a lost connection is tried to be made again; -1 is for ever.
    """
    key = _key(creds)
    if inbox is None:
        # Who asks is known to NATS by its key alone: the command serves operators and observers.
        inbox = f"_INBOX.{key}" if key is not None else "_INBOX"
    try:
        return await nats.connect(
            [part.strip() for part in url.split(",")],
            name="sendonce-cli",
            allow_reconnect=again != 0,
            connect_timeout=CONNECT_WITHIN,
            max_reconnect_attempts=again or 1,
            reconnect_time_wait=RECONNECT_AFTER if again else 0,
            error_cb=_unheard,
            inbox_prefix=inbox,
            nkeys_seed=None if key is None else str(creds),
            user_credentials=str(creds) if creds is not None and key is None else None,
        )
    except (nats.errors.Error, OSError, TimeoutError, ValueError) as away:
        raise Trouble(
            f"nothing answers at {redact(url)}",
            hint="start it with `sendonce up`, or say where NATS is with SENDONCE_NATS_URL",
        ) from away


def _key(creds: Path | None) -> str | None:
    """Return the public key, if the file is the seed of one."""
    try:
        if creds is None or not is_seed(creds):
            return None
        return public_key(creds.read_text("utf-8"))
    except OSError as unread:
        raise misuse(
            f"SENDONCE_NATS_CREDS: {creds} cannot be read", hint="check its path and rights"
        ) from unread
    except (ValueError, NotASeed) as wrong:
        raise misuse(
            f"SENDONCE_NATS_CREDS: {creds} is no seed of an nkey, and no .creds file",
            hint="a seed is one line that `sendonce access nats` or `nk -gen user` wrote",
        ) from wrong


async def _unheard(_problem: Exception) -> None:
    """Hear errors of the connection; whoever asks meets them as exceptions."""


def is_name(refused: Refused, name: RefusalName) -> bool:
    """Claim that this is why it was refused."""
    return refused.refusal.code is name
