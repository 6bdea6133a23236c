"""Who must wait after a 429: a chat, or the whole bot when Telegram means the bot."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

LONG_WAIT: Final = 30.0  # seconds; a wait this long is about the bot, not about one chat
SEVERAL_WITHIN: Final = 10.0  # seconds in which a second chat's 429 parks the bot
SWEEP_ABOVE: Final = 5_000  # parked chats before those that may go again are forgotten

Scope = Literal["chat", "bot"]


@dataclass(frozen=True, slots=True)
class Parked:
    until: float
    scope: Scope


@dataclass(slots=True)
class Parking:
    """This process' memory of 429s; Postgres has its own, from the outcomes."""

    _chats: dict[tuple[str, int], float] = field(default_factory=dict)
    _bots: dict[str, float] = field(default_factory=dict)
    _recent: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)

    def park(self, bot: str, chat_id: int, *, after: float, now: float) -> Parked:
        """Remember one 429 and say how much must wait with it."""
        until = now + after
        self._sweep(now)
        self._chats[bot, chat_id] = max(until, self._chats.get((bot, chat_id), until))
        if not self._means_the_bot(bot, chat_id, after=after, now=now):
            return Parked(until, "chat")
        self._bots[bot] = max(until, self._bots.get(bot, until))
        return Parked(until, "bot")

    def held(self, bot: str, chat_id: int, *, now: float) -> Parked | None:
        """Return what a call to this chat must wait for."""
        if (until := self._bots.get(bot, now)) > now:
            return Parked(until, "bot")
        if (until := self._chats.get((bot, chat_id), now)) > now:
            return Parked(until, "chat")
        return None

    def _means_the_bot(self, bot: str, chat_id: int, *, after: float, now: float) -> bool:
        recent = self._recent.setdefault(bot, deque(maxlen=50))
        recent.append((now, chat_id))
        chats = {chat for at, chat in recent if now - at <= SEVERAL_WITHIN}
        return after >= LONG_WAIT or len(chats) > 1

    def _sweep(self, now: float) -> None:
        if len(self._chats) > SWEEP_ABOVE:
            self._chats = {key: until for key, until in self._chats.items() if until > now}
