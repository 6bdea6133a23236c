"""Which of the contract's eight failure classes a failed reading belongs to.

Asked in this order: the dialect's table by KIE's state word, the phrases in KIE's text, the
dialect's table by code, the common table by code. Text stands above code because KIE sends
moderation as 400, 422, 500 and 501 alike.
"""

import re

from contracts.values import FailureClass
from kie.dialects import BY_FAMILY
from kie.values import Reading

_MODERATED = (
    r"moderat|content polic|usage polic|violat\w* (?:\w+ )*polic|prohibited|flagged"
    r"|sensitive|nsfw|inappropriate|unsafe|safety (?:filter|system|polic)"
)
_UNREADABLE = (
    r"(?:unable|fail\w*|could not|cannot|can't) (?:to )?(?:download|fetch|access|read|load)"
    r"|(?:image|video|audio|file) (?:\w+ )?(?:is )?(?:unreadable|corrupt\w*)"
)
_ACCOUNT = (
    r"insufficient (?:credit|balance)|credits? (?:is |are |balance is )?insufficient"
    r"|not enough credit|access permissions|usage exceeded"
)
_BUSY = r"concurrent|rate limit|too many requests|overload|high demand|\bbusy\b|maintenance"

# In this order: a copyright complaint often speaks of policy too.
_PHRASES: tuple[tuple[re.Pattern[str], FailureClass], ...] = (
    (re.compile(r"copyright|matches existing work", re.IGNORECASE), FailureClass.COPYRIGHT),
    (re.compile(_MODERATED, re.IGNORECASE), FailureClass.MODERATED),
    (re.compile(_UNREADABLE, re.IGNORECASE), FailureClass.INPUT_UNREADABLE),
    (re.compile(_ACCOUNT, re.IGNORECASE), FailureClass.OWNER_ACCOUNT),
    (re.compile(_BUSY, re.IGNORECASE), FailureClass.PROVIDER_BUSY),
    (
        re.compile(r"time ?out|timed out|no result has been returned", re.IGNORECASE),
        FailureClass.TIMEOUT,
    ),
)

_CODES: dict[str, FailureClass] = {
    "400": FailureClass.BAD_INPUT,
    "401": FailureClass.OWNER_ACCOUNT,
    "402": FailureClass.OWNER_ACCOUNT,
    "403": FailureClass.OWNER_ACCOUNT,
    "404": FailureClass.BAD_INPUT,
    "408": FailureClass.TIMEOUT,
    "409": FailureClass.BAD_INPUT,
    "413": FailureClass.BAD_INPUT,
    "422": FailureClass.BAD_INPUT,
    "429": FailureClass.PROVIDER_BUSY,
    "433": FailureClass.OWNER_ACCOUNT,
    "451": FailureClass.INPUT_UNREADABLE,
    "455": FailureClass.PROVIDER_BUSY,
    "500": FailureClass.PROVIDER_ERROR,
    "501": FailureClass.PROVIDER_ERROR,
    "505": FailureClass.PROVIDER_ERROR,
    "531": FailureClass.PROVIDER_ERROR,
}


def classify(reading: Reading) -> FailureClass:
    """Class of a failed reading; what nobody documents is the provider's error."""
    return class_of(
        family=reading.family,
        code=reading.error_code,
        message=reading.error_message,
        status=reading.status,
    )


def class_of(
    *, family: str | None, code: str | None, message: str | None, status: str | None = None
) -> FailureClass:
    """Class of a failure known by its parts, such as a refused creation."""
    dialect = BY_FAMILY.get(family or "")
    own = dialect.failures if dialect else {}
    # A state word may carry a remark after a dash, and stand in any case.
    word = (status or "").partition("-")[0].strip().upper()
    if word in own:
        return own[word]
    for pattern, failure_class in _PHRASES:
        if message and pattern.search(message):
            return failure_class
    known = _CODES | dict(own)
    return known.get(code or "", FailureClass.PROVIDER_ERROR)
