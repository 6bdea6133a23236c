"""The JSON the Bot API speaks, the errors it answers with, and one parsed call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]


class ApiError(Exception):
    """A refusal, answered exactly as the Bot API words it."""

    def __init__(
        self, code: int, description: str, *, parameters: JsonObject | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> JsonObject:
        """The error as the Bot API shapes it."""
        body: JsonObject = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.parameters is not None:
            body["parameters"] = self.parameters
        return body


def bad_request(reason: str) -> ApiError:
    """A 400."""
    return ApiError(400, f"Bad Request: {reason}")


def forbidden(reason: str) -> ApiError:
    """A 403."""
    return ApiError(403, f"Forbidden: {reason}")


def too_many_requests(seconds: int) -> ApiError:
    """A 429 with its parameter."""
    return ApiError(
        429,
        f"Too Many Requests: retry after {seconds}",
        parameters={"retry_after": seconds},
    )


def migrated(new_chat_id: int) -> ApiError:
    """The 400 that names a group's successor."""
    return ApiError(
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
        parameters={"migrate_to_chat_id": new_chat_id},
    )


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Params:
    """The arguments of a call. Nested ones arrive as JSON text, as real clients send them."""

    values: Mapping[str, str]
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A string argument; empty when absent."""
        return self.values.get(name, "")

    def flag(self, name: str) -> bool:
        """A boolean argument; False when absent."""
        return self.values.get(name, "").lower() in {"true", "1", "yes"}

    def integer(self, name: str) -> int | None:
        """A whole number, or None."""
        try:
            return int(self.values[name])
        except (KeyError, ValueError):
            return None

    def object(self, name: str) -> JsonObject | None:
        """A JSON object argument, or None."""
        found = self._parsed(name)
        if found is None or isinstance(found, dict):
            return found
        raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object")

    def objects(self, name: str) -> list[JsonObject] | None:
        """A JSON array of objects, or None."""
        found = self._parsed(name)
        if found is None:
            return None
        if isinstance(found, list) and all(isinstance(item, dict) for item in found):
            return cast("list[JsonObject]", found)
        raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object")

    def _parsed(self, name: str) -> Json:
        raw = self.values.get(name)
        if not raw:
            return None
        try:
            return cast("Json", json.loads(raw))
        except ValueError as broken:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from broken


def integer(value: Json) -> int | None:
    """Read a JSON number, or a number in a string as many clients send it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    return None


def string(value: Json) -> str:
    """Read a JSON string; empty for anything else."""
    return value if isinstance(value, str) else ""


def canonical(value: Json) -> str:
    """One spelling per value, so that equal keyboards and entities compare equal."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
