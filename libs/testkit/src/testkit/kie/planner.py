"""Decides each create call: refused, or accepted with a plan. The same seed decides alike."""

import json
import re
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random

from testkit.kie.plans import PRESETS, Plan
from testkit.kie.profiles import Durations, Odds, draw_plan
from testkit.kie.wire import JsonObject

MARKER = re.compile(r"plan:([A-Za-z0-9_.-]+)")
CALLBACK_KEYS = frozenset({"callBackUrl", "calBackUrl"})
REMEMBERED = 50_000  # requests whose repetitions are counted


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one create call and, once accepted, to its task."""

    plan: Plan
    seconds: float
    rejections_left: int


class Planner:
    """Explicit plans first (marker, then next in line), else one drawn by the seed."""

    def __init__(self, *, seed: int, odds: Odds, durations: Durations) -> None:
        self._seed = seed
        self._odds = odds
        self._durations = durations
        self._by_name = dict(PRESETS)
        self._next: deque[Plan] = deque()
        self._seen: OrderedDict[str, int] = OrderedDict()
        self._refused: OrderedDict[str, Fate] = OrderedDict()

    def name(self, marker: str, plan: Plan) -> None:
        """Requests that contain `plan:<marker>` get this plan."""
        self._by_name[marker] = plan

    def queue(self, plan: Plan, *, count: int = 1) -> None:
        """The next `count` requests without a marker get this plan."""
        self._next.extend([plan] * count)

    def fate_of(self, *, path: str, request: JsonObject) -> Fate:
        """A refused request keeps its fate, so that its repetition is accepted in the end."""
        text = _identity(path=path, request=request)
        digest = sha256(text.encode()).hexdigest()
        fate = self._refused.pop(digest, None) or self._decide(text=text, digest=digest)
        if fate.rejections_left:
            self._refused[digest] = replace(fate, rejections_left=fate.rejections_left - 1)
            _forget_oldest(self._refused)
        return fate

    def _decide(self, *, text: str, digest: str) -> Fate:
        nth = self._seen.pop(digest, 0)
        self._seen[digest] = nth + 1
        _forget_oldest(self._seen)
        # Keyed by the request and not by its turn: concurrent callers do not change the draw.
        dice = Random(f"{self._seed}:{digest}:{nth}")
        plan = self._chosen(text) or draw_plan(
            odds=self._odds, durations=self._durations, dice=dice
        )
        seconds = plan.seconds if plan.seconds is not None else self._usual(plan, dice)
        return Fate(plan=plan, seconds=seconds, rejections_left=plan.reject_creates)

    def _chosen(self, text: str) -> Plan | None:
        for marker in MARKER.findall(text):
            # A marker may end a sentence.
            plan = self._by_name.get(marker) or self._by_name.get(marker.rstrip(".-"))
            if plan is not None:
                return plan
        return self._next.popleft() if self._next else None

    def _usual(self, plan: Plan, dice: Random) -> float:
        if plan.callback_before_answer:
            return 0.0
        return dice.uniform(self._durations.shortest, self._durations.longest)


def _identity(*, path: str, request: JsonObject) -> str:
    # A repeated request may carry another callback address.
    same = {key: value for key, value in request.items() if key not in CALLBACK_KEYS}
    return path + json.dumps(same, sort_keys=True)


def _forget_oldest(known: OrderedDict[str, int] | OrderedDict[str, Fate]) -> None:
    while len(known) > REMEMBERED:
        known.popitem(last=False)
