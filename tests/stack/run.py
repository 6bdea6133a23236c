"""One run: images, a project from nothing, the scenes in their order, everything taken away again."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from stack.engine import OVERLAYS, Say, Stack, build, composer, is_standin
from stack.load import Figures
from stack.scenes import NEXT, SCENES


@asynccontextmanager
async def stack(directory: Path, *, version: str, say: Say) -> AsyncIterator[Stack]:
    """Make the project; its containers' logs stay in the directory when the block fails."""
    overlays, standins = [OVERLAYS / "hurried.yaml"], await is_standin()
    if standins:
        overlays.append(OVERLAYS / "standins.yaml")
    made = Stack(
        project=f"sendonce-stack-{os.getpid()}",
        composer=await composer(),
        overlays=overlays,
        say=say,
        standins=standins,
        version=version,
    )
    try:
        yield made
    except BaseException:
        (directory / "containers.log").write_text(await made.logs(), "utf-8")
        say(f"logs: {directory / 'containers.log'}")
        raise
    finally:
        await made.remove()


async def run(
    directory: Path,
    told: dict[str, Figures],
    *,
    say: Say,
    only: Sequence[str] = (),
    version: str = "0.1.0",
    built: bool = False,
) -> None:
    """Play the scenes, or those of these names after coming up; tell the figures of each as it is over."""
    if not built:
        for one in (version, NEXT):
            await build(one, say)
    names = [name for name in SCENES if name == "up" or name in only or not only]
    async with stack(directory, version=version, say=say) as made:
        for name in names:
            began = monotonic()
            say(f"{name}: {(SCENES[name].__doc__ or '').strip()}")
            told[name] = await SCENES[name](made)
            say(f"{name}: {monotonic() - began:.0f} s, {told[name]}")
