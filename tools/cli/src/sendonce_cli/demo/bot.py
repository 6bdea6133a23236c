"""The bot of the demo: asks through the front door, and again with the same key when nobody answered."""

import asyncio
from datetime import timedelta
from typing import Final, TypeVar

import nats.errors
from chassis import clock
from contracts import subjects
from contracts.api import (
    AttachTask,
    CreateJob,
    ErrorReply,
    ExpectJob,
    JobView,
    OneJob,
    Refusal,
    Request,
    TopUp,
    WalletRef,
    WalletView,
)
from contracts.message import Value
from nats.aio.client import Client
from pydantic import TypeAdapter

from sendonce_cli.demo.errands import Errand, User

ONE_TRY: Final = timedelta(seconds=5)
PAUSE: Final = 0.25  # seconds before asking again

View = TypeVar("View", bound=Value)


class NotTaken(Exception):
    """Job-store refused for good."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code}: {refusal.message}")
        self.refusal = refusal


class Bot:
    """One bot of the deployment."""

    def __init__(self, client: Client, slug: str) -> None:
        self._client = client
        self.slug = slug

    async def top_up(self, user: User, amount: int) -> None:
        """Credit a payment."""
        await self._ask(
            "wallets.topup",
            TopUp,
            WalletView,
            user_id=user.id,
            currency=user.currency,
            amount=amount,
            reference=f"demo-{user.id}",
        )

    async def create(self, errand: Errand) -> JobView:
        """Have the job submitted by sendonce."""
        return await self._ask(
            "jobs.create",
            CreateJob,
            JobView,
            **_common(errand),
            family=errand.ware.family,
            model=errand.ware.model,
            input=errand.input,
        )

    async def expect(self, errand: Errand) -> JobView:
        """Announce a task the bot submits itself."""
        return await self._ask("jobs.expect", ExpectJob, JobView, **_common(errand), family=errand.ware.family)

    async def attach(self, job: JobView, task_id: str) -> JobView:
        """Tell which task the job has become."""
        return await self._ask("jobs.attach", AttachTask, JobView, job_id=job.id, task_id=task_id)

    async def get(self, key: str) -> JobView | None:
        """Look a job up by the bot's own key; None when there is none."""
        try:
            return await self._ask("jobs.get", OneJob, JobView, key=key)
        except NotTaken:
            return None

    async def wallet(self, user: User) -> WalletView:
        """Look at a balance."""
        return await self._ask("wallets.get", WalletRef, WalletView, user_id=user.id, currency=user.currency)

    async def _ask(self, verb: str, request: type[Request], view: type[View], **fields: object) -> View:
        subject = subjects.api(self.slug, verb)
        reader: TypeAdapter[ErrorReply | View] = TypeAdapter(ErrorReply | view)
        while True:
            asked = request.model_validate({**fields, "not_after": clock.SYSTEM.now() + ONE_TRY})
            try:
                reply = await self._client.request(
                    subject, asked.model_dump_json().encode(), timeout=ONE_TRY.total_seconds()
                )
            except (nats.errors.Error, OSError, TimeoutError):
                # Killed, or starting again: the same key asks for the same job.
                await asyncio.sleep(PAUSE)
                continue
            answer = reader.validate_json(reply.data)
            if not isinstance(answer, ErrorReply):
                return answer
            if not answer.error.retryable:
                raise NotTaken(answer.error)
            await asyncio.sleep(PAUSE)


def _common(errand: Errand) -> dict[str, object]:
    return {
        "key": errand.key,
        "chat_id": errand.user.id,
        "user_id": errand.user.id,
        "language": errand.user.language,
        "price": errand.ware.price,
        "currency": errand.user.currency,
        "caption": errand.prompt.capitalize() if errand.ware.family != "suno_lyrics" else "",
    }
