"""What shall happen to one task: small fields that do not know each other, so they compose."""

from enum import StrEnum

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from testkit.kie.media import Medium


class CreateAnswer(StrEnum):
    """How an accepted createTask is answered; all but OK lose the answer of a task that exists."""

    OK = "ok"
    CLOSED = "closed"  # the connection ends without a byte
    HANGS = "hangs"  # nothing comes until the caller gives up
    HTTP_502 = "http_502"  # a proxy's HTML page
    ENVELOPE_500 = "envelope_500"  # HTTP 200, code 500
    TRUNCATED = "truncated"  # half a JSON body


class Garbage(StrEnum):
    """A callback nobody can use, sent once before the real ones."""

    INVALID_JSON = "invalid_json"
    WRONG_TYPES = "wrong_types"
    NULL_BYTES = "null_bytes"
    EMPTY = "empty"
    TWO_TASK_IDS = "two_task_ids"


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Plan:
    """One task's fate. The default is a task that simply succeeds."""

    name: str = ""

    # The create call.
    reject_creates: int = 0  # this request is refused so many times before it is accepted
    reject_code: int = 500
    reject_message: str | None = None
    reject_status: int = 200  # KIE's own pages disagree whether 429 is also the HTTP status
    create_answer: CreateAnswer = CreateAnswer.OK
    create_delay: float = 0.0
    callback_before_answer: bool = False

    # The generation.
    fails: bool = False
    fail_code: int = 400
    fail_message: str = "Your prompt was flagged as violating content policies."
    seconds: float | None = None  # None: drawn by seed from the server's durations
    held: bool = False  # ends only when finish(task_id) is called
    outputs: int | None = None  # None: what the request asks for
    medium: Medium | None = None  # None: what the model makes

    # The callbacks.
    calls_back: bool = True
    callback_delay: float = 0.0  # between the end of the generation and its callback
    copies: int = 1
    parallel: bool = False  # copies at once instead of one after the other
    stages: bool = True  # Suno's `text` and `first` before `complete`
    out_of_order: bool = False  # what tells of progress comes after the final callback
    garbage: Garbage | None = None
    wrong_signatures: int = 0  # so many requests are signed with a key nobody has

    # The polls.
    unseen_polls: int = 0  # so many polls find no record of the fresh task
    poll_errors: int = 0  # so many polls answer poll_error_code
    poll_error_code: int = 500

    # The results.
    media_gone: bool = False  # result URLs answer 404, a fresh address of them too
    media_life: float | None = None  # seconds until result URLs expire; None: as the server says


# A person asks for one of these by writing `plan:<name>` into a prompt.
_PRESETS = (
    Plan(name="ok"),
    Plan(name="fail", fails=True),
    Plan(name="slow", seconds=30.0),
    Plan(name="early", callback_before_answer=True),
    Plan(name="lost", create_answer=CreateAnswer.CLOSED),
    Plan(name="twice", copies=2),
    Plan(name="burst", copies=5, parallel=True),
    Plan(name="silent", calls_back=False),
    Plan(name="garbage", garbage=Garbage.INVALID_JSON),
    Plan(name="late", callback_delay=5.0),
    Plan(name="unsigned", wrong_signatures=1),
    Plan(name="busy", reject_creates=1, reject_code=429),
    Plan(name="gone", media_gone=True),
    Plan(name="expired", media_life=0.0),
    Plan(name="brief", media_life=5.0),
    Plan(
        name="orphaned",
        reject_creates=1_000,
        reject_code=422,
        reject_message="Record does not exist",
    ),
)
PRESETS = {plan.name: plan for plan in _PRESETS}
