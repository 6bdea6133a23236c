"""Every answer a caller can get that is not 200, as a table. None of them quotes the request."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An RFC 9457 problem with one more member: what the caller can do about it."""

    status: int
    name: str  # the end of the problem's type
    title: str
    detail: str
    hint: str
    retry_after: int | None = None  # seconds

    @property
    def type(self) -> str:
        """The problem's type: an identifier, not an address."""
        return f"urn:sendonce:callback:{self.name}"


FORGED_TOKEN: Final = Problem(
    status=401,
    name="forged-token",
    title="The address is not one we gave out",
    detail="The last part of the path is not a callback token, or its signature is wrong.",
    hint="Use the callback URL exactly as sendonce returned it; unedited.",
)
WRONG_SIGNATURE: Final = Problem(
    status=401,
    name="wrong-signature",
    title="The webhook signature does not match",
    detail="No configured HMAC key makes this signature for this task and timestamp.",
    hint="Compare SENDONCE_KIE_HMAC_KEYS with the webhook key in the KIE account's settings.",
)
NOT_JSON: Final = Problem(
    status=400,
    name="not-json",
    title="The body is not a JSON object",
    detail="A callback without a token is only stored when its body can be read.",
    hint="Send KIE's callback body unchanged, as one JSON object in UTF-8.",
)
NO_TASK_ID: Final = Problem(
    status=400,
    name="no-task-id",
    title="The body names no task",
    detail="None of the documented places holds a usable task id, or they disagree.",
    hint="Send KIE's callback body unchanged, or use a callback URL with a token.",
)
TOO_LARGE: Final = Problem(
    status=413,
    name="too-large",
    title="The body is too large",
    detail="A callback without a token may hold 256 KiB.",
    hint="Use a callback URL with a token: then any size is stored as a reason to ask KIE again.",
)
NOT_DECLARED_JSON: Final = Problem(
    status=415,
    name="not-declared-json",
    title="The body is not declared as JSON",
    detail="A callback without a token must be application/json without a content coding.",
    hint="Set Content-Type: application/json and send the body uncompressed.",
)
SLOW_BODY: Final = Problem(
    status=408,
    name="slow-body",
    title="The body did not arrive in time",
    detail="The request was given up before its end.",
    hint="Send the callback again; nothing of it was stored.",
)
TOO_MANY_UNVOUCHED: Final = Problem(
    status=429,
    name="too-many-unvouched",
    title="Too many callbacks that nobody vouches for",
    detail="More came without a token of ours or a webhook signature than are stored at a time.",
    hint="Send it again after Retry-After seconds, or use a callback URL with a token.",
    retry_after=1,  # the least; the bucket says how long
)
NOT_STORED: Final = Problem(
    status=503,
    name="not-stored",
    title="The callback could not be stored",
    detail="The bus did not confirm it in time.",
    hint="Send the same callback again; a repeat is never counted twice.",
    retry_after=5,
)
BUSY: Final = Problem(
    status=503,
    name="busy",
    title="Too many callbacks at once",
    detail="The gateway holds as many requests as its settings allow.",
    hint="Send the same callback again after a moment.",
    retry_after=2,
)
NOT_FOUND: Final = Problem(
    status=404,
    name="not-found",
    title="There is nothing at this address",
    detail="Callbacks are taken at /callbacks/kie and /callbacks/kie/{token}.",
    hint="Check the path, and the proxy's path prefix if there is one.",
)
WRONG_METHOD: Final = Problem(
    status=405,
    name="wrong-method",
    title="Callbacks are POSTed",
    detail="This address takes POST only.",
    hint="A browser cannot test this address; POST a callback body to it.",
)
BROKEN: Final = Problem(
    status=500,
    name="broken",
    title="The gateway failed",
    detail="The callback was not stored.",
    hint="Send the same callback again; the operator finds the reason in the gateway's log.",
    retry_after=5,
)

ALL: Final = (
    FORGED_TOKEN,
    WRONG_SIGNATURE,
    NOT_JSON,
    NO_TASK_ID,
    TOO_LARGE,
    NOT_DECLARED_JSON,
    SLOW_BODY,
    TOO_MANY_UNVOUCHED,
    NOT_STORED,
    BUSY,
    NOT_FOUND,
    WRONG_METHOD,
    BROKEN,
)
