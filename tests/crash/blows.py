"""How a service dies, or stands still, while a job lives; and what is waited for before the job is judged."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.api import JobView
from crash.bot import Bot
from crash.judging import Ended, judged
from crash.lives import Life
from crash.stage import Stage
from deployment import eventually
from testkit.processes import ChildFailed, holds

REACHED_WITHIN: Final = 12.0  # seconds for a point to be reached after the job was asked for
SETTLES_WITHIN: Final = 75.0  # every lease once, an expiry, and a restart
# Longer than the leases (`crash.child`) of what each may hold when it is frozen.
FROZEN_FOR: Final = {"deliverer": 7.0, "submitter": 9.0}
FROZEN_OTHERS: Final = 5.0
FROZEN_AT_MOST: Final = 15.0  # then it goes on, though its twin may not be done
QUIET_WITHIN: Final = 40.0
WORKERS_REST_WITHIN: Final = 6.0
FIRST_TURNS: Final = 2.0  # seconds for every loop of a service that is ready to turn once
LOOK_EVERY: Final = 0.1  # seconds


class NotSettled(Exception):
    """A job did not come to rest; the message says where it stands."""


@dataclass(frozen=True, slots=True, order=True)
class Blow:
    """One service is struck at one point: `kill` ends it there, `freeze` stops it for longer than its leases."""

    service: str
    point: str
    when: str
    do: str = "kill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """How many of the blows fell, and how the job ended when all did; one that misses proves nothing."""

    fell: int
    ended: Ended | None


async def struck(stage: Stage, life: Life, blows: tuple[Blow, ...]) -> Struck:
    """Live through a job while services are struck."""
    bot = stage.bot()
    try:
        if life.turns:
            (blow,) = blows
            asking, fell = await _turned(stage, life, bot, blow)
        else:
            for blow in blows:
                _order(stage, blow)
            asking = asyncio.create_task(life.script(bot))
            falls = [_fallen(stage, blow, life, bot, asking) for blow in blows]
            fell = sum(await asyncio.gather(*falls))
    finally:
        for blow in blows:
            stage.orders.take_back(blow.service)
    job = await _settled(bot, await _answered(asking), life)
    if fell < len(blows):
        return Struck(fell=fell, ended=None)
    if any(blow.do == "freeze" for blow in blows):
        await _quiet(stage)
        for blow in blows:
            await stage.twins[blow.service].stop()
        job = await bot.get(job.id)
    return Struck(fell=fell, ended=await judged(life, bot, job))


async def killed_when(
    stage: Stage, service: str, life: Life, fact: Callable[[], bool]
) -> Ended | None:
    """Live through a job while a service is killed as soon as something is so; None when it never was."""
    bot, process = stage.bot(), stage.services[service]
    asking = asyncio.create_task(life.script(bot))
    fell = await holds(fact, within=REACHED_WITHIN)
    if fell:
        await process.kill()
        await process.start()
    job = await _settled(bot, await _answered(asking), life)
    return await judged(life, bot, job) if fell else None


async def undisturbed(stage: Stage, life: Life, notes: Mapping[str, Path]) -> None:
    """Live through a job while nobody dies; each service writes the points it comes to into its file.

    Of a service that starts, or stops, only that is written.
    """
    bot, turning = stage.bot(), [stage.services[name] for name in notes if life.turns]
    if life.turns == "start":
        await asyncio.gather(*(process.stop() for process in turning))
    if life.turns != "stop":
        _have_noted(stage, notes)
    try:
        asking = asyncio.create_task(life.script(bot))
        if life.turns == "stop":
            await _called(life, bot, asking)
            _have_noted(stage, notes)
            await asyncio.gather(*(process.stop() for process in turning))
            for name in notes:
                stage.orders.take_back(name)
        for process in turning:
            await process.start()
        await _settled(bot, await asking, life)
    finally:
        for name in notes:
            stage.orders.take_back(name)


def _have_noted(stage: Stage, notes: Mapping[str, Path]) -> None:
    for name, into in notes.items():
        stage.orders.give(name, do="note", into=str(into))


async def _called(life: Life, bot: Bot, asking: "asyncio.Task[JobView]") -> None:
    """Wait until it is time for the service to stop."""
    if not life.turns_when_called:
        return
    call = asyncio.create_task(bot.called.wait())
    await asyncio.wait({call, asking}, return_when=asyncio.FIRST_COMPLETED)
    call.cancel()


def _order(stage: Stage, blow: Blow) -> None:
    stage.orders.give(blow.service, at=blow.point, when=blow.when, do=blow.do)


async def _answered(asking: "asyncio.Task[JobView]") -> JobView:
    try:
        async with asyncio.timeout(SETTLES_WITHIN):
            return await asking
    except TimeoutError as late:
        raise NotSettled(f"nobody answered within {SETTLES_WITHIN:.0f} s") from late


async def _fallen(
    stage: Stage, blow: Blow, life: Life, bot: Bot, asking: "asyncio.Task[JobView]"
) -> bool:
    """Wait until the blow falls, and see to what comes after it; False when the job was over first."""
    process = stage.services[blow.service]
    is_over = _over(bot, life, asking)
    if not await _falls(lambda: stage.orders.is_obeyed(blow.service), unless=is_over):
        return False
    if blow.do == "freeze":
        await _taken_over(stage, blow, is_over)
    else:
        await process.kill()  # it has ended; this waits until it is gone
        await process.start()
    return True


async def _turned(
    stage: Stage, life: Life, bot: Bot, blow: Blow
) -> tuple["asyncio.Task[JobView]", int]:
    """The service dies while it starts, or while it stops."""
    process = stage.services[blow.service]
    if life.turns == "start":
        await process.kill()
        _order(stage, blow)
    asking = asyncio.create_task(life.script(bot))
    if life.turns == "stop":
        # Not before: who dies while the script still needs it would not be started again.
        await _called(life, bot, asking)
        _order(stage, blow)
        await process.stop()
    else:
        process.spawn()
        with suppress(ChildFailed):  # it died, as it was told
            await process.wait_ready()
            await holds(lambda: stage.orders.is_obeyed(blow.service), within=FIRST_TURNS)
    fell = stage.orders.is_obeyed(blow.service)
    stage.orders.take_back(blow.service)
    if fell or not process.running:
        await process.kill()  # it has ended; this waits until it is gone
        await process.start()
    return asking, int(fell)


async def _taken_over(stage: Stage, blow: Blow, is_over: Callable[[], Awaitable[bool]]) -> None:
    """A twin does the work meanwhile; then the frozen one goes on where it stood, none the wiser."""
    frozen_for = FROZEN_FOR.get(blow.service, FROZEN_OTHERS)
    began = asyncio.get_running_loop().time()
    stage.services[blow.service].pause()  # with whoever it may have started
    try:
        if not stage.twins[blow.service].running:
            await stage.twins[blow.service].start()
        await asyncio.sleep(  # noqa: TID251 - the fault itself
            max(began + frozen_for - asyncio.get_running_loop().time(), 0)
        )
        with suppress(TimeoutError):
            await eventually(is_over, within=FROZEN_AT_MOST - frozen_for)
    finally:
        stage.services[blow.service].resume()


def _over(bot: Bot, life: Life, asking: "asyncio.Task[JobView]") -> Callable[[], Awaitable[bool]]:
    async def is_over() -> bool:
        return asking.done() and life.is_over(await bot.get(asking.result().id))

    return is_over


async def _falls(has_fallen: Callable[[], bool], *, unless: Callable[[], Awaitable[bool]]) -> bool:
    """Wait for the blow; not longer than the job lives."""
    over = asyncio.create_task(_until(unless))
    try:
        deadline = asyncio.get_running_loop().time() + REACHED_WITHIN
        while asyncio.get_running_loop().time() < deadline and not over.done():
            if await holds(has_fallen, within=LOOK_EVERY):
                return True
        return has_fallen()
    finally:
        over.cancel()


async def _until(fact: Callable[[], Awaitable[bool]]) -> None:
    while not await fact():
        await asyncio.sleep(LOOK_EVERY)  # noqa: TID251 - the rate of a look


async def _quiet(stage: Stage) -> None:
    """Wait until whoever stood still has done what it will, and was heard."""
    # An effect whose acknowledgement was lost comes again minutes later, to nobody's harm: its lease
    # is over. That one is not waited for.
    with suppress(NotSettled):
        await _at_rest(stage, of_workers=True, within=WORKERS_REST_WITHIN)
    await _at_rest(stage, of_workers=False, within=QUIET_WITHIN)


async def _at_rest(stage: Stage, *, of_workers: bool, within: float) -> None:
    unrest: list[str] = []

    async def is_quiet() -> bool:
        unrest[:] = await stage.unrest(of_workers=of_workers)
        return not unrest

    try:
        async with asyncio.timeout(within):
            await _until(is_quiet)
    except TimeoutError as late:
        raise NotSettled(f"{', '.join(unrest)} after {within:.0f} s") from late


async def _settled(bot: Bot, job: JobView, life: Life) -> JobView:
    latest = job

    async def settled() -> bool:
        nonlocal latest
        latest = await bot.get(job.id)
        return life.is_over(latest)

    try:
        async with asyncio.timeout(SETTLES_WITHIN):
            await _until(settled)
    except TimeoutError as late:
        parts = [(part.state, part.refusal) for part in latest.parts]
        raise NotSettled(f"{latest.state}, parts {parts}, after {SETTLES_WITHIN:.0f} s") from late
    return latest
