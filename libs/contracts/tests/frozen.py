"""The contracts as they were last frozen. Run as a script it freezes what is new, and refuses what must not change."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from compatibility import Change, Schemas, Verdict, beyond, changes, fingerprint
from contract_classes import values
from contracts import samples
from contracts.api import Request
from contracts.documents.schemas import Document, definitions
from contracts.effects import Begin, Carried
from contracts.message import SCHEMA_VERSION

HERE: Final = Path(__file__).parent / "frozen"
DIGESTS: Final = HERE / "samples.sha256"
CURRENT: Final = HERE / f"v{SCHEMA_VERSION}.json"

_SCHEMAS: Final = TypeAdapter(dict[str, Document])


def requests() -> set[str]:
    """Return the classes that only job-store reads."""
    asked = {name for name, cls in values().items() if issubclass(cls, Request)}
    return asked | {Begin.__name__, Carried.__name__}


def current() -> dict[str, Document]:
    """Return the schemas of today's classes."""
    return fingerprint(definitions(values().values(), ref_template="{model}"))


def versions() -> dict[int, dict[str, Document]]:
    """Return the frozen schemas of every schema version."""
    files = sorted(HERE.glob("v*.json"))
    return {int(one.stem[1:]): _SCHEMAS.validate_json(one.read_bytes()) for one in files}


def incompatible(today: Schemas) -> list[Change]:
    """Return what must not have changed since any frozen version."""
    found: list[Change] = []
    for version, before in versions().items():
        # A raised version tells old readers apart, but no version makes an old message unread.
        worst = Verdict.ALLOWED if version == SCHEMA_VERSION else Verdict.NEEDS_VERSION
        found.extend(beyond(changes(before, today, requests=requests()), worst=worst))
    return found


def digests() -> dict[str, str]:
    """Return the digest of every frozen sample by its name."""
    if not DIGESTS.exists():
        return {}
    lines = (line.split() for line in DIGESTS.read_text("utf-8").splitlines())
    return {name: digest for digest, name in lines}


def digests_today() -> dict[str, str]:
    """Return the digest of every sample that stands there."""
    return {name: hashlib.sha256(raw).hexdigest() for name, raw in samples.all().items()}


def edited() -> list[str]:
    """Return the samples that are no longer what was frozen, or are gone."""
    today = digests_today()
    return [name for name, digest in digests().items() if today.get(name) != digest]


def freeze(today: Mapping[str, Document]) -> Sequence[str]:
    """Write down what is new; return what stands against it, and write nothing then."""
    against = [f"{one.name} at {one.at} ({one.verdict})" for one in incompatible(today)]
    against += [f"frozen sample edited: {name}" for name in edited()]
    if not against:
        CURRENT.write_text(json.dumps(today, indent=1, sort_keys=True) + "\n", "utf-8")
        lines = [f"{digest}  {name}\n" for name, digest in sorted(digests_today().items())]
        DIGESTS.write_text("".join(lines), "utf-8")
    return against


if __name__ == "__main__":
    sys.exit("\n".join(freeze(current())) or 0)
