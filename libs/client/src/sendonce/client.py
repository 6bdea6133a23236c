"""SendOnce: every door a bot has into sendonce, one method each."""

import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Self, Unpack
from uuid import UUID

from pydantic import JsonValue

from contracts.api import (
    AttachTask,
    ByTask,
    ChatReturned,
    CreateJob,
    DeliverJob,
    Done,
    ExpectJob,
    JobsView,
    JobView,
    OneJob,
    Page,
    StatementView,
    TopUp,
    WalletRef,
    WalletView,
)
from contracts.events import JobEvent
from contracts.reports import ReportedMedia
from contracts.values import JobState
from sendonce import feed
from sendonce.asking import Asker, seconds
from sendonce.errors import TooLate
from sendonce.link import Address, Link
from sendonce.orders import JobOptions, job_values, servers, slug

DEADLINE = 15.0  # s; outlasts a restart of job-store or NATS, and a user still waits


class SendOnce:
    """One bot's connection to sendonce.

    Use it as ``async with SendOnce(url, bot="shop") as sendonce:``, or call `connect` and `close`.
    Methods may run side by side. Each keeps asking, with the same key, until it is answered or its
    deadline passes: a restart is a slow answer. Money is always an int of minor units.

    Every method raises:
        InvalidRequest: the arguments cannot be a request; nothing was sent.
        UnknownBot: no bot of this name is registered.
        Unavailable: no answer until the deadline; asking again with the same key never acts twice.
        DeadlinePassed: the server read it too late; mostly the bot's clock is behind.
        NotConnected: called before `connect` or after `close`.
    Each method names its further refusals; all but `NotConnected` are `SendOnceError`.
    """

    def __init__(
        self,
        nats_url: str | Sequence[str],
        bot: str = "default",
        creds: str | Path | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        """Remember where to connect; nothing is sent yet.

        Args:
            nats_url: ``nats://host:4222``; several of one cluster as a list or joined by commas.
                User and password may stand in it.
            bot: the bot's name as registered with ``sendonce bots add``.
            creds: path of a NATS ``.creds`` file (needs the package ``nkeys``).
            tls: for servers whose certificate the system does not know, or that ask for ours.
            deadline: seconds each method keeps asking unless it is given its own `timeout`.

        Raises:
            InvalidRequest: no address, a bot name that cannot be one, or a deadline that is none.
        """
        self.bot = slug(bot)
        self._deadline = seconds(deadline)
        self._link = Link(Address(servers=servers(nats_url), bot=self.bot, creds=creds, tls=tls))
        self._asker = Asker(self._link, bot=self.bot, deadline=self._deadline)

    def __repr__(self) -> str:
        return f"SendOnce(bot={self.bot!r})"

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def connect(self, *, timeout: float | None = None) -> None:
        """Connect to NATS, trying for `timeout` seconds; harmless when connected already.

        Raises:
            Unavailable: NATS is away or does not accept the credentials.
        """
        await self._link.open(within=self._deadline if timeout is None else seconds(timeout))

    async def close(self) -> None:
        """Disconnect; every `events` loop ends. Harmless when repeated."""
        await self._link.close()

    async def create(
        self,
        *,
        model: str,
        input: Mapping[str, JsonValue],  # noqa: A002 - KIE's own word for it
        family: str = "market",
        operation: str = "generate",
        **options: Unpack[JobOptions],
    ) -> JobView:
        """Have sendonce submit a KIE task, follow it and show its result.

        The price is held at once, captured on success, released on every other end. The same key
        answers with the job it made (`job.created` is False then).

        Args:
            model: KIE's name of the model.
            input: the model's own parameters, as KIE documents them; JSON values.
            family: KIE's API family, such as ``market``, ``veo``, ``suno``.
            operation: what the family is asked for; ``generate`` unless it has more.
            **options: where, who, how much; see `JobOptions`.

        Raises:
            InsufficientFunds: no job was made, nothing was held.
            Paused: the owner's KIE account takes no work now; no job was made.
            KeyConflict: the key made a job with another request.
        """
        values = job_values(
            options, model=model, input=dict(input), family=family, operation=operation
        )
        return await self._asker.ask(
            "jobs.create", CreateJob, values, JobView, timeout=options.get("timeout")
        )

    async def expect(
        self, *, family: str = "market", operation: str = "generate", **options: Unpack[JobOptions]
    ) -> JobView:
        """Announce a task the bot submits itself; hand its `callback_url` to KIE's createTask.

        Then tell the task's id with `attach`; a callback that is faster than that is kept. Without a
        public URL on the server `callback_url` is None: submit without one, attach, and it is polled.

        Raises:
            InsufficientFunds: no job was made, nothing was held.
            NoPublicUrl: the server has no address KIE could call.
            KeyConflict: the key made a job with another request.
        """
        values = job_values(options, family=family, operation=operation)
        return await self._asker.ask(
            "jobs.expect", ExpectJob, values, JobView, timeout=options.get("timeout")
        )

    async def attach(
        self, job_id: UUID | str, task_id: str, *, timeout: float | None = None
    ) -> JobView:
        """Tell the id KIE gave the task of an expected job; repeating it changes nothing.

        Raises:
            UnknownJob: this bot has no such job.
            TaskConflict: the task belongs to another job, or this job was not made with `expect`.
        """
        values = {"job_id": job_id, "task_id": task_id}
        return await self._asker.ask("jobs.attach", AttachTask, values, JobView, timeout=timeout)

    async def deliver(
        self, *, media: Sequence[ReportedMedia], **options: Unpack[JobOptions]
    ) -> JobView:
        """Show a finished result of any provider; the job is born succeeded.

        Args:
            media: what to show, in order; one message each.
            **options: where, who, how much; see `JobOptions`.

        Raises:
            InsufficientFunds: no job was made, nothing was charged.
            KeyConflict: the key made a job with another request.
        """
        values = job_values(options, media=tuple(media))
        return await self._asker.ask(
            "jobs.deliver", DeliverJob, values, JobView, timeout=options.get("timeout")
        )

    async def get(
        self,
        job_id: UUID | str | None = None,
        *,
        key: str | None = None,
        timeout: float | None = None,
    ) -> JobView:
        """Return a job by its id, or by the bot's own key.

        Raises:
            UnknownJob: this bot has no such job.
        """
        values = {"job_id": job_id, "key": key}
        return await self._asker.ask("jobs.get", OneJob, values, JobView, timeout=timeout)

    async def find_by_task_id(
        self, task_id: str, *, timeout: float | None = None
    ) -> tuple[JobView, ...]:
        """Return the jobs of a KIE task id, none when it is unknown."""
        values = {"task_id": task_id}
        found = await self._asker.ask(
            "jobs.find_by_task_id", ByTask, values, JobsView, timeout=timeout
        )
        return found.jobs

    async def undelivered(
        self, limit: int = 100, after: str | None = None, *, timeout: float | None = None
    ) -> JobsView:
        """Return jobs whose result is known and not shown yet, oldest first.

        Args:
            limit: how many, 1 to 500.
            after: `next` of the page before.
            timeout: seconds to keep asking.
        """
        values = {"limit": limit, "after": after}
        return await self._asker.ask("jobs.undelivered", Page, values, JobsView, timeout=timeout)

    async def cancel(
        self,
        job_id: UUID | str | None = None,
        *,
        key: str | None = None,
        timeout: float | None = None,
    ) -> JobView:
        """Cancel a job whose submission has not begun and release its hold. May be repeated.

        Raises:
            TooLate: it goes on, because KIE may have been asked already.
            UnknownJob: this bot has no such job.
        """
        values = {"job_id": job_id, "key": key}
        try:
            return await self._asker.ask("jobs.cancel", OneJob, values, JobView, timeout=timeout)
        except TooLate:
            # Too late for a second time is what a repeated cancel hears whose first answer was lost.
            job = await self.get(job_id, key=key, timeout=timeout)
            if job.state is not JobState.CANCELLED:
                raise
            return job

    async def returned(self, chat_id: int, *, timeout: float | None = None) -> int:
        """Say that a user who had blocked the bot is back; return how many parked results are due again."""
        done = await self._asker.ask(
            "jobs.returned", ChatReturned, {"chat_id": chat_id}, Done, timeout=timeout
        )
        return done.changed

    async def wallet(
        self, user_id: int, currency: str, *, timeout: float | None = None
    ) -> WalletView:
        """Return what a user may spend and what is held, in minor units; zeros when there is no wallet."""
        values = {"user_id": user_id, "currency": currency}
        return await self._asker.ask("wallets.get", WalletRef, values, WalletView, timeout=timeout)

    async def topup(
        self,
        user_id: int,
        *,
        currency: str,
        amount: int,
        reference: str,
        timeout: float | None = None,
    ) -> WalletView:
        """Credit a payment, once however often it is told.

        Args:
            user_id: whose wallet.
            currency: ISO 4217, or XTR.
            amount: minor units, more than 0.
            reference: the payment's own id, such as Telegram's ``telegram_payment_charge_id``.
            timeout: seconds to keep asking.

        Raises:
            ReferenceConflict: this reference credited another user or amount; that credit stands.
        """
        owner = {"user_id": user_id, "currency": currency}
        values = {**owner, "amount": amount, "reference": reference}
        return await self._asker.ask("wallets.topup", TopUp, values, WalletView, timeout=timeout)

    async def statement(
        self, user_id: int, currency: str, *, timeout: float | None = None
    ) -> StatementView:
        """Return a wallet with its latest ledger lines, amounts in minor units."""
        values = {"user_id": user_id, "currency": currency}
        return await self._asker.ask(
            "wallets.statement", WalletRef, values, StatementView, timeout=timeout
        )

    async def events(self, after: int | None = None) -> AsyncGenerator[JobEvent, None]:
        """Yield what becomes of this bot's jobs, in order and without gaps, until `close`.

        Store `event.seq` once the event is dealt with and hand it in as `after` to go on from there;
        None begins with the oldest event kept. Outages are waited out, not raised. An event whose seq
        was not stored comes again after a restart; `event.id` is the same then.
        """
        async for event in feed.changes(self._asker, self._link, after=after or 0):
            yield event
