"""What the demo asks for: jobs drawn from a seed, each with a fate the oracle knows beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import Final

from sendonce_cli.demo.options import Faults
from testkit.kie import CreateAnswer, Durations, Plan, Profile
from testkit.kie.profiles import ODDS, draw_plan
from testkit.proof import Wallet

FAILURES: Final = 0.10  # of all jobs, whatever else goes wrong
ORPHANS: Final = 0.08  # jobs whose bot calls KIE by itself and attaches too late
OWN_CALLS: Final = 0.04  # jobs whose bot calls KIE by itself, with our callback URL
DURATIONS: Final = Durations(shortest=0.2, longest=2.0)
UNCLEAR_REFUSAL: Final = 500  # KIE says so of tasks it made, too: nobody may ask again
BUSY: Final = 455
FIRST_USER: Final = 70_000
JOBS_PER_USER: Final = 5
FEWEST_USERS, MOST_USERS = 8, 400
RUSSIAN, IN_STARS = 3, 5  # every third user reads Russian, every fifth pays in Stars

PROMPTS: Final = (
    "a red fox asleep in fresh snow",
    "a lighthouse in a thunderstorm, oil on canvas",
    "an old tram climbing a hill at dawn",
    "a jar of fireflies on a window sill",
    "a bicycle made of birch wood",
    "two cranes over a frozen lake",
    "a kitchen in the style of a Dutch master",
    "the smallest dragon guarding a coin",
)
NAMES: Final = (
    "Anna", "Boris", "Clara", "Dmitry", "Elena", "Farid", "Greta", "Hiro", "Ines", "Jonas",
    "Katya", "Leo", "Maria", "Nikita", "Olga", "Pavel", "Quinn", "Rosa", "Semyon", "Tanya",
)  # fmt: skip


class Door(StrEnum):
    """How a bot brings the job to us."""

    CREATE = "create"  # we submit
    EXPECT = "expect"  # the bot submits, to the callback address we signed
    ORPHAN = "orphan"  # the bot submits without our address, and attaches after the callback


@dataclass(frozen=True, slots=True, kw_only=True)
class Ware:
    """Something that is sold."""

    family: str
    model: str
    price: int
    share: int  # how often it is bought, against the others
    more: Mapping[str, str] | None = None


WARES: Final = (
    Ware(family="market", model="google/nano-banana", price=1_500, share=34),
    Ware(
        family="market",
        model="bytedance/seedream",
        price=900,
        share=14,
        more={"output_format": "jpeg"},
    ),
    Ware(family="market", model="kling/v2-1-standard", price=9_900, share=16),
    Ware(family="market", model="elevenlabs/text-to-speech", price=700, share=14),
    Ware(family="suno_lyrics", model="V4_5", price=0, share=8),
    Ware(family="veo", model="veo3_fast", price=14_900, share=10),
    Ware(family="suno_music", model="V4_5", price=4_500, share=4, more={"title": "Night tram"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with a private chat and a wallet."""

    id: int
    name: str
    language: str
    currency: str

    @property
    def wallet(self) -> Wallet:
        """Whose money it is."""
        return Wallet(self.id, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One job to ask for, and what KIE will do with it."""

    number: int
    user: User
    ware: Ware
    door: Door
    prompt: str
    plan: Plan
    series: str = "demo"  # what tells its keys from another run's

    @property
    def key(self) -> str:
        """The bot's own idempotency key."""
        return f"{self.series}-{self.number}"

    @property
    def chat_id(self) -> int:
        """The private chat of its user."""
        return self.user.id

    @property
    def marker(self) -> str:
        """What finds this errand's plan, and later its tasks, at the sandbox KIE."""
        return f"{self.series}-{self.number}"

    @property
    def faults(self) -> int:
        """How many things KIE does wrong with it, its failure not counted."""
        plan = self.plan
        return sum(
            (
                plan.create_answer is not CreateAnswer.OK,
                plan.reject_creates > 0,
                plan.callback_before_answer,
                plan.copies > 1,
                plan.out_of_order,
                not plan.calls_back,
                plan.callback_delay > 0,
                plan.garbage is not None,
                plan.wrong_signatures > 0,
                plan.unseen_polls > 0,
                plan.poll_errors > 0,
                self.door is Door.ORPHAN,
            )
        )

    @property
    def input(self) -> dict[str, str]:
        """What the model is given."""
        return {"prompt": f"{self.prompt} plan:{self.marker}", **(self.ware.more or {})}


def draw(
    *, jobs: int, faults: Faults, seed: int, series: str = "demo", first_user: int = FIRST_USER
) -> tuple[Errand, ...]:
    """Draw every errand; the same seed draws the same ones, those of another series for others' users."""
    dice = Random(f"errands:{seed}")  # noqa: S311 - reproducible, not secret
    users = _users(jobs, first=first_user)
    failing = set(dice.sample(range(1, jobs + 1), round(jobs * FAILURES)))
    drawn = (
        _errand(number, users=users, faults=faults, dice=dice) for number in range(1, jobs + 1)
    )
    return tuple(
        replace(errand, series=series, plan=replace(errand.plan, fails=errand.number in failing))
        for errand in drawn
    )


def users_of(errands: tuple[Errand, ...]) -> dict[User, int]:
    """Return each user with what their errands cost together."""
    costs: dict[User, int] = {}
    for errand in errands:
        costs[errand.user] = costs.get(errand.user, 0) + errand.ware.price
    return costs


def _users(jobs: int, *, first: int) -> tuple[User, ...]:
    count = min(max(jobs // JOBS_PER_USER, FEWEST_USERS), MOST_USERS)
    return tuple(
        User(
            id=first + number,
            name=NAMES[number % len(NAMES)]
            + (f" {number // len(NAMES) + 1}" if number >= len(NAMES) else ""),
            language="ru" if number % RUSSIAN == 0 else "en",
            currency="XTR" if number % IN_STARS == 0 else "RUB",
        )
        for number in range(count)
    )


def _errand(number: int, *, users: tuple[User, ...], faults: Faults, dice: Random) -> Errand:
    ware = dice.choices(WARES, weights=[ware.share for ware in WARES])[0]
    drawn = draw_plan(odds=ODDS[Profile(faults)], durations=DURATIONS, dice=dice)
    door = _door(faults, dice)
    return Errand(
        number=number,
        user=dice.choice(users),
        ware=ware,
        door=door,
        prompt=dice.choice(PROMPTS),
        plan=_bearable(replace(drawn, name=f"demo-{number}"), door),
    )


def _door(faults: Faults, dice: Random) -> Door:
    orphans = 0.0 if faults is Faults.NONE else ORPHANS
    drawn = dice.random()
    if drawn < orphans:
        return Door.ORPHAN
    return Door.EXPECT if drawn < orphans + OWN_CALLS else Door.CREATE


def _bearable(plan: Plan, door: Door) -> Plan:
    """Take away what nobody can know of: a task that was never made, or whose every sign was lost."""
    code = BUSY if plan.reject_code == UNCLEAR_REFUSAL else plan.reject_code
    plan = replace(plan, reject_code=code, reject_creates=min(plan.reject_creates, 1))
    match door:
        case Door.CREATE:
            is_lost = plan.create_answer is not CreateAnswer.OK and not plan.calls_back
            return replace(plan, calls_back=True) if is_lost else plan
        case Door.EXPECT:
            return replace(plan, create_answer=CreateAnswer.OK, reject_creates=0)
        case Door.ORPHAN:
            return replace(
                plan,
                create_answer=CreateAnswer.OK,
                reject_creates=0,
                calls_back=True,
                callback_before_answer=False,
            )
