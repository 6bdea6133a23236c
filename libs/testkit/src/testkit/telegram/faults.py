"""Fault plans: which call goes wrong, how, and whether its effect happens anyway."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

FLOOD_SECONDS = 7.5  # a 429 that hides a commit comes after 1+2+4 s of inner retries
OVERLOAD_SECONDS = 3.0  # the server waits this long before it says that it is too busy
ALBUM_FLOOD = "Too Many Requests: retry after 8"


class Mode(StrEnum):
    """What happens to a call. The name tells the order of commit and failure."""

    REJECT_BEFORE_COMMIT = "reject_before_commit"
    CLOSE_BEFORE_COMMIT = "close_before_commit"
    RST_BEFORE_COMMIT = "rst_before_commit"
    HANG_BEFORE_COMMIT = "hang_before_commit"
    BAD_GATEWAY = "bad_gateway"  # a plain 502, nothing committed
    TOO_MANY = "429_n"
    OVERLOADED = "429_60"  # too many requests at once, or too many unsent in one chat
    REFUSE = "refuse"  # this connection dies and the port stays shut for `seconds`
    COMMIT_THEN_CLOSE = "commit_then_close"
    COMMIT_THEN_RST = "commit_then_rst"
    COMMIT_THEN_HANG = "commit_then_hang"
    HANG_THEN_COMMIT = "hang_then_commit"  # the late zombie
    COMMIT_THEN_RESTART = "commit_then_500_restart"
    COMMIT_THEN_FLOOD = "commit_then_429_8"
    COMMIT_THEN_BUSY = "commit_then_429_1"  # a busy worker, asked again every second
    COMMIT_THEN_DROPPED = "commit_then_429_5"  # the server shut down with the call in flight
    COMMIT_THEN_HTML = "commit_then_html_502"
    COMMIT_THEN_TRUNCATED = "commit_then_truncated"
    COMMIT_UNDECODABLE = "commit_but_undecodable_200"
    COMMIT_THEN_NOT_MODIFIED = "commit_then_not_modified"  # an edit repeated inside the server
    COMMIT_THEN_DELETED = "commit_then_deleted"  # sent, deleted at once, and said so as a 500
    PARTIAL_ALBUM = "partial_album"  # `items` are sent, then `reason` is told
    MIGRATE = "migrate"  # the group becomes a supergroup, then the call is refused
    BLOCKED = "blocked"  # the user blocks the bot, then the call is refused


class Profile(StrEnum):
    """A mix of random plans."""

    NONE = "none"
    LIGHT = "light"
    HARD = "hard"


class FaultPlan(BaseModel):
    """One rule: which calls it meets, how often it strikes, and with which mode."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode
    methods: frozenset[str] = Field(
        default=frozenset(), description="method names, or the families send, edit; empty = all"
    )
    chat_id: int | None = None
    bot_id: int | None = None
    nth: int = Field(default=1, ge=1, description="first matching call that can be struck")
    times: int | None = Field(default=None, ge=1, description="strikes before it behaves")
    probability: float = Field(default=1.0, ge=0, le=1)
    seconds: float | None = Field(default=None, ge=0, description="how long a hang lasts")
    late: float | None = Field(
        default=None, ge=0, description="hang_then_commit: from the cut to the commit"
    )
    retry_after: int = Field(default=1, ge=1)
    status: int = Field(default=500, ge=400, le=599)
    description: str = "Internal Server Error"
    items: int = Field(default=1, ge=0, description="partial_album: items that get through")
    reason: str = Field(default=ALBUM_FLOOD, description="partial_album: why the next one failed")

    def meets(self, *, method: str, chat_id: int | None, bot_id: int) -> bool:
        """Claim that the plan is about this call."""
        if not _ONLY_FOR.get(self.mode, _anything)(method):
            return False
        if self.chat_id not in (None, chat_id) or self.bot_id not in (None, bot_id):
            return False
        return not self.methods or any(_names(one, method) for one in self.methods)


def _anything(_method: str) -> bool:
    return True


# Modes that make sense for some methods only never meet the others.
_ONLY_FOR: dict[Mode, Callable[[str], bool]] = {
    Mode.PARTIAL_ALBUM: lambda method: method == "sendmediagroup",
    Mode.COMMIT_THEN_NOT_MODIFIED: lambda method: method.startswith("edit"),
    Mode.COMMIT_THEN_DELETED: lambda method: _names("send", method),
}


def _names(name: str, method: str) -> bool:
    name = name.lower()
    if name == "send":
        return method.startswith("send") and method != "sendchataction"
    return method.startswith("edit") if name == "edit" else method == name


@dataclass(slots=True)
class _Armed:
    id: int
    plan: FaultPlan
    met: int = 0
    struck: int = 0


@dataclass(slots=True)
class Faults:
    """The armed plans, asked once per call; the first that strikes wins."""

    seed: int = 0
    hang_seconds: float = 1.5  # when a plan does not say
    fired: Counter[Mode] = field(default_factory=Counter)
    _armed: list[_Armed] = field(default_factory=list)
    _next_id: int = 1
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.reseed(self.seed)

    def reseed(self, seed: int) -> None:
        """Start the dice again."""
        self.seed = seed
        self._dice = random.Random(seed)  # reproducible, not secret

    def add(self, plan: FaultPlan) -> int:
        """Arm a plan and return its number."""
        self._armed.append(_Armed(self._next_id, plan))
        self._next_id += 1
        return self._armed[-1].id

    def plan(  # the fields of a plan a test writes by hand
        self,
        mode: Mode | str,
        *methods: str,
        chat_id: int | None = None,
        nth: int = 1,
        times: int | None = 1,
        seconds: float | None = None,
        late: float | None = None,
        retry_after: int = 1,
        items: int = 1,
        reason: str = ALBUM_FLOOD,
    ) -> int:
        """Arm the plan tests need most: strike the nth matching call, `times` times."""
        return self.add(
            FaultPlan(
                mode=Mode(mode),
                methods=frozenset(methods),
                chat_id=chat_id,
                nth=nth,
                times=times,
                seconds=seconds,
                late=late,
                retry_after=retry_after,
                items=items,
                reason=reason,
            )
        )

    def use(self, profile: Profile | str) -> None:
        """Replace every plan by a profile's."""
        self.clear()
        for plan in profile_plans(Profile(profile)):
            self.add(plan)

    def clear(self) -> None:
        """Disarm everything."""
        self._armed.clear()

    def remove(self, number: int) -> bool:
        """Disarm one plan; False when there is none of that number."""
        kept = [one for one in self._armed if one.id != number]
        found = len(kept) < len(self._armed)
        self._armed = kept
        return found

    def armed(self) -> Iterable[tuple[int, FaultPlan, int]]:
        """Number, plan and strikes so far of each armed plan."""
        return [(one.id, one.plan, one.struck) for one in self._armed]

    def strike(self, *, method: str, chat_id: int | None, bot_id: int) -> FaultPlan | None:
        """Decide about one call; every plan that meets it counts it."""
        chosen: _Armed | None = None
        for one in self._armed:
            if not one.plan.meets(method=method, chat_id=chat_id, bot_id=bot_id):
                continue
            one.met += 1
            if chosen is None and self._strikes(one):
                chosen = one
        if chosen is None:
            return None
        chosen.struck += 1
        self.fired[chosen.plan.mode] += 1
        return chosen.plan

    def _strikes(self, one: _Armed) -> bool:
        plan = one.plan
        if one.met < plan.nth or (plan.times is not None and one.struck >= plan.times):
            return False
        return plan.probability >= 1 or self._dice.random() < plan.probability


_LIGHT = {
    Mode.COMMIT_THEN_CLOSE: 0.01,
    Mode.COMMIT_THEN_RST: 0.005,
    Mode.CLOSE_BEFORE_COMMIT: 0.005,
    Mode.COMMIT_THEN_HTML: 0.005,
    Mode.BAD_GATEWAY: 0.01,
    Mode.TOO_MANY: 0.01,
}
# Blocking, migrating, refusing and rejecting for good change what the right result is, or cut
# off whoever asks for it; they are aimed at a call by a plan and never thrown by a profile.
_HARD = {
    Mode.COMMIT_THEN_CLOSE: 0.02,
    Mode.COMMIT_THEN_RST: 0.015,
    Mode.COMMIT_THEN_HANG: 0.01,
    Mode.HANG_THEN_COMMIT: 0.015,
    Mode.COMMIT_THEN_RESTART: 0.01,
    Mode.COMMIT_THEN_FLOOD: 0.002,
    Mode.COMMIT_THEN_HTML: 0.01,
    Mode.COMMIT_THEN_NOT_MODIFIED: 0.01,
    Mode.COMMIT_THEN_TRUNCATED: 0.01,
    Mode.COMMIT_UNDECODABLE: 0.01,
    Mode.CLOSE_BEFORE_COMMIT: 0.01,
    Mode.RST_BEFORE_COMMIT: 0.01,
    Mode.HANG_BEFORE_COMMIT: 0.005,
    Mode.REJECT_BEFORE_COMMIT: 0.005,
    Mode.BAD_GATEWAY: 0.01,
    Mode.TOO_MANY: 0.02,
    Mode.PARTIAL_ALBUM: 0.05,
}


def profile_plans(profile: Profile) -> list[FaultPlan]:
    """The random plans of a profile, over sends and edits."""
    chances = {Profile.NONE: {}, Profile.LIGHT: _LIGHT, Profile.HARD: _HARD}[profile]
    return [
        FaultPlan(mode=mode, methods=frozenset({"send", "edit"}), probability=chance)
        for mode, chance in chances.items()
    ]
