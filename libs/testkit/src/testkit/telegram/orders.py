"""What /sim accepts: one shape per request body."""

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from testkit.telegram.faults import FaultPlan, Profile
from testkit.telegram.media import Kind
from testkit.telegram.state import ChatKind


class Order(BaseModel):
    """Refuses what it does not know, so that a typo is never a silent default."""

    model_config = ConfigDict(extra="forbid")


class ProfileOrder(Order):
    """Replace all plans by a profile's."""

    profile: Profile
    seed: int | None = None


class LimitsOrder(Order):
    """Switch the limits off, or scale them."""

    enabled: bool = True
    scale: float = Field(default=1.0, gt=0)
    held_seconds: float = Field(default=0.0, ge=0, le=8)


class ChatOrder(Order):
    """Make a chat known."""

    id: int
    kind: ChatKind
    title: str = ""
    topics: tuple[int, ...] | None = None
    slow_seconds: int = Field(default=0, ge=0)


class BotOrder(Order):
    """Register a token."""

    token: str


class PersonOrder(Order):
    """What a user does; each action reads the fields it needs."""

    bot_id: int | None = None
    message_id: int = 0
    one_sided: bool = False
    text: str = ""
    data: str = ""
    thread_id: int = 0
    kinds: frozenset[Kind] = frozenset()


class RefuseOrder(Order):
    """Shut the port for a while."""

    seconds: float = Field(default=1.0, gt=0, le=60)


class ContentsOrder(Order):
    """Ask about many contents at once."""

    contents: list[str]


FAULT_ORDERS: TypeAdapter[FaultPlan | list[FaultPlan] | ProfileOrder] = TypeAdapter(
    FaultPlan | list[FaultPlan] | ProfileOrder
)
