"""Runs probes one after the other: each is given a time, and whatever it meets becomes an item."""

import asyncio
from collections.abc import Iterable
from time import monotonic
from typing import Any, Protocol

import aiohttp

from sendonce import SendOnceError
from sendonce_cli.probes.items import Found, Item, Lab, Phase, PhaseFound, Probe, Unmet, Unshown
from sendonce_cli.trouble import Trouble


class Watcher(Protocol):
    """Who is told what is looked at, and what was found, as it happens."""

    def begin(self, phase: Phase[Any], probe: Probe[Any]) -> None:
        """Hear what is looked at now."""

    def tell(self, phase: Phase[Any], item: Item) -> None:
        """Hear what was found."""

    def say(self, doing: str) -> None:
        """Hear what else is done."""


async def run_phases(
    phases: Iterable[Phase[Lab]],
    lab: Lab,
    *,
    within: float,  # seconds of each probe
    watcher: Watcher,
) -> list[PhaseFound]:
    """Run the phases in their order."""
    done = []
    for phase in phases:
        items: list[Item] = []
        for probe in phase.probes:
            watcher.begin(phase, probe)
            item = await found_by(probe, lab, within=within)
            items.append(item)
            watcher.tell(phase, item)
        done.append(
            PhaseFound(number=phase.number, name=phase.name, title=phase.title, items=tuple(items))
        )
    return done


async def found_by(probe: Probe[Lab], lab: Lab, *, within: float) -> Item:
    """Run one probe."""
    began = monotonic()
    found, seen, todo = Found.OK, "", probe.todo
    try:
        async with asyncio.timeout(within):
            await probe.look(lab)
    except Unshown as unshown:
        found, seen, todo = Found.WARNING, str(unshown), unshown.todo
    except Unmet as unmet:
        found, seen = Found.FAILED, str(unmet)
    except TimeoutError:
        found, seen = Found.FAILED, f"no end of it within {within:.0f} s"
    except (SendOnceError, Trouble) as refused:
        found, seen = Found.FAILED, f"refused: {refused}"
    except (aiohttp.ClientError, OSError) as problem:
        found, seen = Found.FAILED, f"{type(problem).__name__}: {problem}"
    return Item(
        name=probe.name,
        found=found,
        expected=probe.expects,
        seen=seen,
        todo="" if found is Found.OK else todo,
        seconds=round(monotonic() - began, 3),
    )
