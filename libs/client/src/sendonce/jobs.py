"""The doors for jobs: ask for one, tell of one, look at one."""

from collections.abc import Mapping, Sequence
from typing import Unpack
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
)
from contracts.reports import ReportedMedia
from contracts.values import JobState
from sendonce.asking import Asker
from sendonce.errors import TooLate
from sendonce.incoming import Incoming
from sendonce.orders import JobOptions, job_values


class Jobs:
    """What a bot may ask about its jobs."""

    _asker: Asker

    async def create(
        self,
        message: Incoming | None = None,
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
            message: the Telegram message, or the callback query of the button, that asked: gives
                chat, topic, user, language, reply and key at once. The same message or button asking
                for the same model is the same job; for another model it is another job.
            model: KIE's name of the model.
            input: the model's own parameters, as KIE documents them; JSON values.
            family: KIE's API family, such as ``market``, ``veo``, ``suno_music``.
            operation: what the family is asked for; ``generate`` unless it has more.
            **options: where, who, how much; see `JobOptions`.

        Raises:
            InsufficientFunds: no job was made, nothing was held.
            Paused: no new work is taken now; no job was made.
            TooManyJobs: a `Paused` for this user or bot alone, with `retry_after` in seconds.
            KeyConflict: the key made a job with another request.
        """
        values = job_values(
            message,
            options,
            asked=f"create {family} {operation} {model}",
            model=model,
            input=dict(input),
            family=family,
            operation=operation,
        )
        return await self._asker.ask(
            "jobs.create", CreateJob, values, JobView, timeout=options.get("timeout")
        )

    async def expect(
        self,
        message: Incoming | None = None,
        *,
        family: str = "market",
        operation: str = "generate",
        **options: Unpack[JobOptions],
    ) -> JobView:
        """Announce a task the bot submits itself; hand its `callback_url` to KIE's createTask.

        Then tell the task's id with `attach`; a callback that is faster than that is kept.

        `job.callback_url` is None when the server has no public URL. That is no error: submit without
        one, attach, and the result is found by polling, some seconds later. (KIE refuses Suno tasks
        without a callback URL; those need a server with one.)

        Args:
            message: as for `create`.
            family: KIE's API family; decides how the task is polled.
            operation: what the family is asked for.
            **options: where, who, how much; see `JobOptions`.

        Raises:
            InsufficientFunds: no job was made, nothing was held.
            TooManyJobs: this user or bot has asked for too much, with `retry_after` in seconds.
            KeyConflict: the key made a job with another request.
        """
        values = job_values(
            message,
            options,
            asked=f"expect {family} {operation}",
            family=family,
            operation=operation,
        )
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
        self,
        message: Incoming | None = None,
        *,
        media: Sequence[ReportedMedia],
        **options: Unpack[JobOptions],
    ) -> JobView:
        """Show a finished result of any provider; the job is born succeeded.

        One message has one delivery: a second with other media is a `KeyConflict`, unless it is given
        a `purpose` or `key` of its own.

        Args:
            message: as for `create`.
            media: what to show, in order.
            **options: where, who, how much; see `JobOptions`.

        Raises:
            InsufficientFunds: no job was made, nothing was charged.
            KeyConflict: the key made a job with another request.
        """
        values = job_values(message, options, asked="deliver", media=tuple(media))
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
