"""What may be asked and answered: the words the state machine draws from."""

from dataclasses import dataclass
from typing import Any, Final

import hypothesis.strategies as st

from contracts.api import JobRequest
from contracts.deliveries import RefusalCode
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.reports import ReportedMedia, ReportState
from contracts.values import MediaKind
from driven_store import BOTS
from store_kit import create, deliver, expect

USERS: Final = (7, 8)
PRICE: Final = 300
FIRST_PAYMENT: Final = 400  # of each user to each bot: enough for one job
EDITS: Final = ("show", "stage", "post_status", "rewrite", "remove")

bots = st.sampled_from(sorted(BOTS, reverse=True))
spans = st.sampled_from([1, 5, 16, 16, 50, 130, 400, 3_700, 46_800])
NOBODY_DID: Final = (
    NotSent(reason="no"),
    Later(reason="429", after=2),
    Later(reason="429", after=400),
    Ambiguous(reason="timeout"),
    Ambiguous(reason="timeout"),
)
NO_CREDITS: Final = Later(reason="402", after=60, scope="account", needs_owner=True)
REFUSED: Final = Refused(code="422", reason="no")
not_submitted = st.sampled_from([*NOBODY_DID, NO_CREDITS, REFUSED, REFUSED])
OFTEN: Final = [RefusalCode.CARRIER_GONE] * 4 + [RefusalCode.BLOCKED]
refusals = st.sampled_from([*OFTEN, *RefusalCode]).map(lambda code: Refused(code=code, reason="no"))
not_delivered = st.one_of(st.sampled_from(NOBODY_DID), refusals)
# How a report comes: by the URL we signed, signed by KIE, too late for that, by nobody known.
paths = st.sampled_from(
    ["by_url", "by_url", "signed", "signed", "stale", "forged", "bare", "stranger"]
)
states = st.sampled_from([ReportState.SUCCEEDED, ReportState.FAILED, *ReportState])


@st.composite
def lives(draw: st.DrawFn) -> "Life":
    """Draw a job and how far it has come before anything goes wrong."""
    how_far = draw(
        st.sampled_from(["succeeded", "succeeded", "running", "asked", "asked", "expired"])
    )
    return Life(draw(bots), draw(requests()), how_far, draw(st.integers(1, 3)))


@dataclass(frozen=True)
class Life:
    bot: str
    request: JobRequest
    how_far: str
    media: int


@st.composite
def requests(draw: st.DrawFn) -> JobRequest:
    """Draw a request through any of the three doors."""
    user = draw(st.sampled_from(USERS))
    shared: dict[str, Any] = {
        "key": draw(st.sampled_from([f"tap-{no}" for no in range(8)])),
        "user_id": user,
        "chat_id": user,
        "price": draw(st.sampled_from([PRICE, PRICE, 0])),
        "mode": draw(st.sampled_from(["edit", "send"])),
        "status": draw(st.sampled_from(["none", "none", "auto"])),
        "deliver": draw(st.sampled_from([True, True, True, False])),
    }
    match draw(st.sampled_from(["create", "create", "create", "expect", "deliver"])):
        case "create":
            return create(**shared)
        case "expect":
            return expect(**shared)
        case _:
            return deliver(**shared, media=pictures(draw(st.integers(1, 2))))


def pictures(count: int) -> tuple[ReportedMedia, ...]:
    """Results that are the same whenever they are asked for."""
    links = [f"https://file.example/{no}.png" for no in range(count)]
    return tuple(ReportedMedia(kind=MediaKind.IMAGE, url=link) for link in links)
