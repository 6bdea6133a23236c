"""Playing scenes: with all rights, and again without one."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from contracts.permissions import Permission, Right, permissions
from privilege.ground import Ground, first_refusal
from privilege.scenes import SCENES, Scene
from privilege.subjects import Deed, admits, needed

WITHIN: Final = 90.0  # seconds for one scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of a scene."""

    problem: Exception | None
    refused: set[Deed]
    done: set[Deed]


async def play(scene: Scene, on: Ground) -> Played:
    """Play it to its end."""
    since, problem = on.mark(), None
    try:
        async with asyncio.timeout(WITHIN):
            await scene(on)
    except Exception as raised:  # noqa: BLE001 - whatever it is, it is told with the rest
        problem = raised
    return Played(problem=problem, refused=on.refused(since), done=on.done(since))


async def breaks(row: Permission, on: Ground, played: Mapping[str, Played]) -> str | None:
    """Take a right away, play the first scene that needs it, and return its name if it fails for that."""
    scene = _first_that_needs(row, on, played)
    if scene is None:
        return None
    await on.begin_anew()
    await on.take_away(row)
    try:
        return scene.__name__ if await _is_refused(row, scene, on) else None
    finally:
        await on.take_away(None)


def _first_that_needs(row: Permission, on: Ground, played: Mapping[str, Played]) -> Scene | None:
    keys = on.keys.public(row.user)
    for scene in SCENES:
        deeds = (deed for deed in played[scene.__name__].done if deed.key in keys)
        if row in needed(permissions(row.user), deeds):
            return scene
    return None


async def _is_refused(row: Permission, scene: Scene, on: Ground) -> bool:
    """Tell whether the server refuses, while the scene is played, what the right was for.

    The scene is not played further then: in the tests a refusal is a failure.
    """
    since, his = on.mark(), on.keys.public(row.user)
    playing = asyncio.ensure_future(play(scene, on))
    refusing = asyncio.ensure_future(first_refusal(on, since))
    await asyncio.wait({playing, refusing}, return_when=asyncio.FIRST_COMPLETED)
    # Asked once more, because a scene may fail of a refusal before it is next looked for.
    found = [deed for deed in on.refused(since) if deed.key in his]
    await _ended(playing, refusing)
    return any(row.right is Right.ANSWER or admits(row, deed) for deed in found)


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        # More than once: wait_for of Python 3.11 may swallow it.
        _, waiting = await asyncio.wait(waiting, timeout=1)
