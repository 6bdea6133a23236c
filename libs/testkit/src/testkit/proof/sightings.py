"""What the sandbox Telegram remembers, against what the sandbox KIE made: was each result shown once?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol
from urllib.parse import urlsplit

from testkit.kie import State, TaskTruth
from testkit.kie.media import render
from testkit.telegram import LogEntry, ShownMessage


class Witness(Protocol):
    """Who remembers what every chat saw: a sandbox Telegram, or its log."""

    def ever_shown(self, content: str) -> list[tuple[int, int, int]]:
        """Every (owner, chat, message) a medium or link has ever stood in."""

    def shown(self, content: str) -> list[tuple[int, ShownMessage]]:
        """Where it is visible now: (chat, message)."""

    def log(self) -> Sequence[LogEntry]:
        """Everything that happened, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One result: in how many messages it ever stood, and whether it stands in its chat now."""

    name: str
    ever: int
    is_visible: bool
    elsewhere: bool  # in a chat that is not its user's

    @property
    def is_right(self) -> bool:
        """Claim that it stood in one message ever, and stands there now."""
        return self.ever == 1 and self.is_visible and not self.elsewhere

    @property
    def is_doubled(self) -> bool:
        """Claim that it stood in two messages, or in a stranger's chat."""
        return self.ever > 1 or self.elsewhere


def sightings(telegram: Witness, task: TaskTruth, *, chat_id: int) -> list[Sighting]:
    """Look for every result of one task, by its bytes or its address."""
    if task.state is not State.SUCCEEDED:
        return []
    return [_sighting(telegram, spellings, chat_id=chat_id) for spellings in _contents(task)]


def _sighting(telegram: Witness, spellings: tuple[str, ...], *, chat_id: int) -> Sighting:
    ever = {key for content in spellings for key in telegram.ever_shown(content)}
    now = {
        message.key
        for content in spellings
        for chat, message in telegram.shown(content)
        if chat == chat_id
    }
    return Sighting(
        name=spellings[0],
        ever=len(ever),
        is_visible=bool(now),
        elsewhere=any(chat != chat_id for _, chat, _ in ever),
    )


def _contents(task: TaskTruth) -> Iterator[tuple[str, ...]]:
    for url in task.media_urls:
        number, _, suffix = urlsplit(url).path.rpartition("/")[2].partition(".")
        file = render(task_id=task.task_id, number=int(number), suffix=suffix)
        # A photo may be shown by its bytes, or in the end as a link.
        yield (url,) if file is None else (url, sha256(file.body).hexdigest())
