"""Telegram's pace: per chat, per group, per bot; edits count like sends."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from testkit.telegram.state import ChatKind

BUCKETS_BEFORE_SWEEP = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast a bot may go. `scaled(10)` is ten times faster, `off()` has no limit."""

    enabled: bool = True
    chat_per_second: float = 1.0
    chat_burst: int = 5  # a burst of a few messages in one chat is tolerated
    group_per_minute: float = 20.0
    bot_per_second: float = 30.0
    held_seconds: float = 0.0  # the real server sleeps out up to 8 s before it says 429

    @staticmethod
    def off() -> "Limits":
        """No limit at all."""
        return Limits(enabled=False)

    def scaled(self, factor: float) -> "Limits":
        """The same limits, `factor` times as generous."""
        return replace(
            self,
            chat_per_second=self.chat_per_second * factor,
            chat_burst=max(1, math.ceil(self.chat_burst * factor)),
            group_per_minute=self.group_per_minute * factor,
            bot_per_second=self.bot_per_second * factor,
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    key: str
    per_second: float
    burst: float


class Pace:
    """Counts messages; a refused call counts nothing."""

    def __init__(self, limits: Limits, *, monotonic: Callable[[], float]) -> None:
        self.limits = limits
        self._monotonic = monotonic
        self._empty_at: dict[str, float] = {}  # when each bucket will have drained

    def admit(self, *, bot_id: int, chat_id: int, kind: ChatKind, messages: int = 1) -> int | None:
        """Count the messages and return None, or return the seconds to wait."""
        if not self.limits.enabled:
            return None
        now = self._monotonic()
        drained: dict[str, float] = {}
        wait = 0.0
        for rule in self._rules(bot_id=bot_id, chat_id=chat_id, kind=kind):
            level = max(self._empty_at.get(rule.key, now), now)
            cost = messages / rule.per_second
            # An album may be larger than the burst: an empty bucket always takes one call.
            room = max(rule.burst / rule.per_second, cost)
            wait = max(wait, level + cost - now - room)
            drained[rule.key] = level + cost
        if wait > 1e-9:  # noqa: PLR2004  # floating point dust is not a wait
            return max(1, math.ceil(wait))
        self._empty_at.update(drained)
        self._sweep(now)
        return None

    def _rules(self, *, bot_id: int, chat_id: int, kind: ChatKind) -> list[_Rule]:
        limits = self.limits
        rules = [
            _Rule(f"b{bot_id}", limits.bot_per_second, limits.bot_per_second),
            _Rule(f"c{bot_id}:{chat_id}", limits.chat_per_second, limits.chat_burst),
        ]
        if kind is not ChatKind.PRIVATE:
            per_minute = limits.group_per_minute
            rules.append(_Rule(f"g{bot_id}:{chat_id}", per_minute / 60, per_minute))
        return rules

    def _sweep(self, now: float) -> None:
        if len(self._empty_at) > BUCKETS_BEFORE_SWEEP:
            self._empty_at = {key: at for key, at in self._empty_at.items() if at > now}
