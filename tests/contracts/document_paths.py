"""Finding one's way in the gateway's OpenAPI document."""

from typing import Final

import gateway_openapi
from pydantic import JsonValue

DOCUMENT: Final = gateway_openapi.document()


def at(*path: str, within: JsonValue = DOCUMENT) -> JsonValue:
    for name in path:
        assert isinstance(within, dict)
        within = within.get(name, {})
    return within


def names(*path: str, within: JsonValue = DOCUMENT) -> list[str]:
    found = at(*path, within=within)
    assert isinstance(found, dict)
    return list(found)
