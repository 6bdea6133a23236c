"""What the phases of a smoke test hand on to each other: a user, a job, its task."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Unpack

from pydantic import JsonValue

from contracts.api import JobView
from contracts.values import JobState
from sendonce import JobOptions
from sendonce_cli.probes.chats import SandboxChats
from sendonce_cli.probes.items import Unmet, Unshown, claim
from sendonce_cli.probes.kie import KieSandbox
from sendonce_cli.probes.tenant import Tenant

PAID: Final = 100
PRICE: Final = 40
FAMILY: Final = "market"
QUICK: Final = 0.3  # seconds a task of the sandbox takes


@dataclass(kw_only=True)
class Journey:
    """One smoke test."""

    lab: Tenant
    kie: KieSandbox | None  # None: the real one, which is paid
    model: str
    given: Mapping[str, JsonValue]
    _user: int | None = None
    _job: JobView | None = None
    _marks: dict[str, str] = field(default_factory=dict)

    @property
    def user(self) -> int:
        """Who pays; `Unmet` before there is one."""
        if self._user is None:
            raise Unmet("not reached: there is no user with money")
        return self._user

    @user.setter
    def user(self, user: int) -> None:
        self._user = user

    @property
    def job(self) -> JobView:
        """The job that is followed; `Unmet` before it was made."""
        if self._job is None:
            raise Unmet("not reached: no job was made")
        return self._job

    @job.setter
    def job(self, job: JobView) -> None:
        self._job = job

    @property
    def chat(self) -> int:
        """Where its result is shown."""
        return self.lab.seen_chats().chat(20)

    def mark(self, name: str) -> str:
        """Return the word by which a task of this journey is known."""
        return self._marks.setdefault(name, f"smoke-{self.lab.mark()}")

    def input(self, name: str) -> dict[str, JsonValue]:
        """Return what the model is given; of the sandbox it also names its plan."""
        if self.kie is None:
            return dict(self.given)
        return {**self.given, "prompt": f"a lighthouse plan:{self.mark(name)}"}

    def sandbox(self) -> KieSandbox:
        """Return the sandbox KIE; `Unshown` where the real one would have to be paid."""
        if self.kie is None:
            raise Unshown(
                "the real KIE cannot be told to do so",
                todo="nothing: `sendonce up` with its sandboxes shows it",
            )
        return self.kie

    async def quick(self, name: str, **plan: object) -> None:
        """Have the sandbox make a task of this name quickly, and as the plan says."""
        if self.kie is not None:
            await self.kie.plan(self.mark(name), seconds=QUICK, **plan)

    async def create(self, name: str, **options: Unpack[JobOptions]) -> JobView:
        """Have a job submitted by sendonce; its result is shown."""
        wanted: JobOptions = {"deliver": True, **options}
        return self.lab.made(
            await self.lab.bot.create(
                family=FAMILY,
                model=self.model,
                input=self.input(name),
                **self.lab.options(wanted),
            )
        )

    async def shown(self, job: JobView) -> JobView:
        """Wait until its results stand in their chat; each in one message, says a sandbox Telegram."""
        done = await self.lab.until_state(
            job, JobState.DELIVERED, JobState.UNDELIVERABLE, JobState.FAILED, JobState.EXPIRED
        )
        refused = ", ".join(part.refusal or part.state for part in done.parts)
        claim(done.state is JobState.DELIVERED, f"the job is {done.state}: {refused or done.error}")
        for part in done.parts:
            claim(part.message_id, "in which message it stands is not known")
            stood = await self.lab.seen_chats().stood(part.url or part.text or "")
            claim(stood is None or (stood.ever, stood.now) == (1, 1), str(stood))
        return done

    def telegram(self) -> SandboxChats:
        """Return the sandbox Telegram; `Unshown` where there is the real one."""
        chats = self.lab.seen_chats()
        if not isinstance(chats, SandboxChats):
            raise Unshown(
                "the real Telegram cannot be told to do so",
                todo="nothing: `sendonce up` with its sandboxes shows it",
            )
        return chats


def travelling(
    kie_url: str | None, *, model: str, given: Mapping[str, JsonValue]
) -> Callable[[Tenant], Journey]:
    """Return how a journey begins in a deployment, whose KIE is the sandbox at this address or the real one."""

    def begin(lab: Tenant) -> Journey:
        kie = KieSandbox(lab.http, kie_url) if kie_url is not None else None
        return Journey(lab=lab, kie=kie, model=model, given=given)

    return begin
