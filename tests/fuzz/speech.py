"""Everything that is read from the bus, taken from the contracts' own table so that nothing is forgotten."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from contracts import samples
from contracts.documents.surface import BOT_NAME, FACTS, QUESTIONS, Party
from contracts.message import Value

DEADLINE: Final = "not_after"


@dataclass(frozen=True, slots=True)
class Spoken:
    """An address of the bus with the class its reader reads there."""

    address: str
    read_as: type[Value]
    answers: tuple[type[Value], ...] = ()


def facts() -> list[Spoken]:
    """Return the stored subjects that one of the services reads."""
    return [Spoken(one.address, one.message) for one in FACTS if one.read_by is not Party.BOT]


def questions(bot: str) -> list[Spoken]:
    """Return every verb that is answered, as this bot asks it."""
    return [Spoken(one.address.replace(BOT_NAME, bot), one.ask, one.answers) for one in QUESTIONS]


def classes() -> list[type[Value]]:
    """Return every class somebody reads: messages, requests and answers."""
    read = [one.message for one in FACTS] + [one.ask for one in QUESTIONS]
    read += [answer for one in QUESTIONS for answer in one.answers]
    return sorted(set(read), key=lambda cls: cls.__name__)


def fresh(raw: bytes, *, within: timedelta = timedelta(hours=1)) -> bytes:
    """Return a sample whose deadlines are still to come, so that its content is looked at."""
    until = (datetime.now(UTC) + within).isoformat()  # noqa: TID251 - the services look at the real clock
    return json.dumps(_until(json.loads(raw), until)).encode()


def _until(value: Any, moment: str) -> Any:
    if isinstance(value, list):
        return [_until(one, moment) for one in value]
    if isinstance(value, dict):
        return {
            name: moment if name == DEADLINE else _until(one, moment) for name, one in value.items()
        }
    return value


def samples_of(cls: type[Value]) -> list[bytes]:
    """Return the committed samples of a class; a class without one cannot be fuzzed and is an error."""
    found = samples.of(cls)
    if not found:
        raise LookupError(f"{cls.__name__} has no sample")
    return found
