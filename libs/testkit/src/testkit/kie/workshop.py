"""Where tasks are made and live; the HTTP rooms only speak for it."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from uuid import uuid4

from testkit.kie.accounts import Account
from testkit.kie.families import Family
from testkit.kie.families.family import other_form, words_of
from testkit.kie.life import Lives
from testkit.kie.planner import Fate, Planner
from testkit.kie.postman import Postman
from testkit.kie.switches import Switches
from testkit.kie.tasks import CallbackAttempt, Task, TaskBook
from testkit.kie.wire import JsonObject


class Workshop:
    """Takes accepted requests, runs their lives, and tells when something changed."""

    def __init__(
        self,
        *,
        planner: Planner,
        book: TaskBook,
        switches: Switches,
        accounts: Mapping[str, Account],
    ) -> None:
        self.planner = planner
        self.book = book
        self.switches = switches
        self.accounts = accounts  # by API key
        self.media_base = ""
        self.media_life: float | None = None  # seconds; None: links never expire
        self.expired_status = 404
        self.closing = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._lives: Lives | None = None

    def open(self, *, postman: Postman, media_base: str) -> None:
        """Be ready to accept; called once the server knows its address."""
        self.media_base = media_base
        self._lives = Lives(
            postman=postman, switches=self.switches, spawn=self._spawn, on_change=self.changed
        )

    def accept(self, *, family: Family, account: Account, request: JsonObject, fate: Fate) -> Task:
        """Make a task and start its life."""
        plan = fate.plan
        wanted = plan.outputs or family.outputs(request)
        # Never drawn by the seed: a restarted KIE must not repeat the ids of its last run.
        task_id = words_of(request, "taskId") if family.of_parent else uuid4().hex
        task = Task(
            task_id=task_id,
            key=other_form(family, task_id) if family.of_parent else task_id,
            account=account.name,
            family=family,
            request=request,
            plan=plan,
            seconds=fate.seconds,
            medium=plan.medium or family.medium(request),
            outputs=min(wanted, family.most_outputs),
            media_base=self.media_base,
            created_at=time.time(),
            media_life=self.media_life if plan.media_life is None else plan.media_life,
            wrong_signatures_left=plan.wrong_signatures,
        )
        self.book.add(task)
        self._spawn(self._open_lives().live(task, account))
        self.changed()
        return task

    async def call_back_again(self, task: Task) -> bool:
        """Send the final callback once more."""
        return await self._open_lives().call_back_again(task)

    def note_attempt(self, attempt: CallbackAttempt) -> None:
        """Count a callback that was tried."""
        self.book.counts["callbacks_sent"] += 1
        self.book.counts["callbacks_accepted"] += attempt.accepted
        self.changed()

    def changed(self) -> None:
        """Wake everyone who waits for a fact."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, claim: Callable[[], bool]) -> None:
        """Return once the claim is true."""
        while not claim():
            await self._changed.wait()

    async def close(self) -> None:
        """Cancel every life and wait for its end."""
        self.closing.set()
        while self._running:
            for running in self._running:
                running.cancel()
            await asyncio.wait(self._running)

    def _open_lives(self) -> Lives:
        if self._lives is None:
            message = "the workshop is not open"
            raise RuntimeError(message)
        return self._lives

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        running = asyncio.create_task(work)
        self._running.add(running)
        running.add_done_callback(self._done)

    def _done(self, finished: asyncio.Task[None]) -> None:
        self._running.discard(finished)
        if not finished.cancelled() and finished.exception() is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a sandbox task broke", "exception": finished.exception()}
            )
