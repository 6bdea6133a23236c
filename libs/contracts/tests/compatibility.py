"""What a change of the contracts does to those who still speak the old ones: schemas in, changes out."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

Schema = Mapping[str, JsonValue]
Schemas = Mapping[str, Schema]


class Verdict(StrEnum):
    """What may become of a change."""

    ALLOWED = "allowed"
    NEEDS_VERSION = "needs_version"  # old readers fail at it: raise SCHEMA_VERSION, readers first
    REFUSED = "refused"  # never: what lies in streams and outboxes is read for ever


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, by name, and where it is."""

    name: str
    at: str
    verdict: Verdict


# Words for people only. `description` may be rewritten at any time.
SILENT: Final = {"title", "description", "examples"}
LOWER: Final = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
UPPER: Final = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
# Whatever stands here is compared by a rule of its own; any other word must not change at all.
RULED: Final = {"type", "format", "$ref", "const", "enum", "anyOf", "oneOf", "items", "default"} | {
    "properties",
    "required",
    "additionalProperties",
    "propertyNames",
    "pattern",
}
PARTS: Final = ("items", "additionalProperties", "propertyNames")


def changes(old: Schemas, new: Schemas, *, requests: AbstractSet[str]) -> list[Change]:
    """Return every difference between two sets of schemas.

    `requests` names the classes that only job-store reads. It is replaced before those who ask, and
    answers what it cannot read with a typed refusal; so there a reader may learn new words.
    """
    told = told_by_others(old, requests=requests) | told_by_others(new, requests=requests)
    found = [Change("class_added", name, Verdict.ALLOWED) for name in sorted(set(new) - set(old))]
    for name in sorted(old):
        if name not in new:
            found.append(Change("class_removed", name, Verdict.REFUSED))
        else:
            widened = Verdict.NEEDS_VERSION if name in told else Verdict.ALLOWED
            found.extend(_Comparison(widened).schemas(old[name], new[name], name))
    return found


def told_by_others(schemas: Schemas, *, requests: AbstractSet[str]) -> set[str]:
    """Return what is part of a message or an answer, where old readers meet new writers."""
    inner = {
        name for owner, schema in schemas.items() for name in referred(schema) if name != owner
    }
    waiting = [name for name in schemas if name not in requests and name not in inner]
    told: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in schemas and name not in told:
            told.add(name)
            waiting.extend(referred(schemas[name]))
    return told


def referred(value: JsonValue | Schema) -> Iterator[str]:
    """Return the names of the classes a schema is made of."""
    if isinstance(value, Mapping):
        target = value.get("$ref")
        if isinstance(target, str):
            yield target
        for inner in value.values():
            yield from referred(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from referred(inner)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The rules; `widened` is the verdict on what only a new reader understands."""

    widened: Verdict

    def schemas(self, old: Schema, new: Schema, at: str) -> Iterator[Change]:
        before, after = _alternatives(old), _alternatives(new)
        for kind in sorted(before.keys() - after.keys()):
            yield Change("kind_removed", f"{at}: {kind}", Verdict.REFUSED)
        for kind in sorted(after.keys() - before.keys()):
            yield Change("kind_added", f"{at}: {kind}", self.widened)
        for kind in sorted(before.keys() & after.keys()):
            yield from self._same_kind(before[kind], after[kind], at)

    def _same_kind(self, old: Schema, new: Schema, at: str) -> Iterator[Change]:
        yield from self._words(old, new, at)
        yield from _bounds(old, new, at)
        yield from self._fields(old, new, at)
        for part in PARTS:
            yield from self._part(old.get(part), new.get(part), f"{at}[]", name=part)
        for word in sorted((old.keys() | new.keys()) - RULED - LOWER - UPPER - SILENT):
            if old.get(word) != new.get(word):
                yield Change("unknown_word_changed", f"{at}: {word}", Verdict.REFUSED)

    def _words(self, old: Schema, new: Schema, at: str) -> Iterator[Change]:
        before, after = _allowed(old), _allowed(new)
        if before is None or after is None:
            if after is not None:
                yield Change("type_narrowed", at, Verdict.REFUSED)
            elif before is not None:
                yield Change("type_widened", at, self.widened)
            return
        for value in sorted(before - after):
            yield Change("value_removed", f"{at}: {value}", Verdict.REFUSED)
        for value in sorted(after - before):
            yield Change("value_added", f"{at}: {value}", self.widened)

    def _part(self, old: JsonValue, new: JsonValue, at: str, *, name: str) -> Iterator[Change]:
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self.schemas(old, new, at)
        elif old != new:
            narrower = old is None
            verdict = Verdict.REFUSED if narrower else self.widened
            yield Change(f"{name}_{'narrowed' if narrower else 'widened'}", at, verdict)

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[Change]:
        before, after = _properties(old), _properties(new)
        needed_before, needed_after = _required(old), _required(new)
        for name in sorted(before.keys() - after.keys()):
            yield Change("field_removed", f"{at}.{name}", Verdict.REFUSED)
        for name in sorted(after.keys() - before.keys()):
            if name in needed_after:
                yield Change("required_field_added", f"{at}.{name}", Verdict.REFUSED)
            else:
                yield Change("optional_field_added", f"{at}.{name}", Verdict.ALLOWED)
        for name in sorted(before.keys() & after.keys()):
            where = f"{at}.{name}"
            if name in needed_after - needed_before:
                yield Change("field_became_required", where, Verdict.REFUSED)
            elif name in needed_before - needed_after:
                yield Change("field_became_optional", where, self.widened)
            elif before[name].get("default") != after[name].get("default"):
                # What was left out of an old message now means something else.
                yield Change("default_changed", where, Verdict.REFUSED)
            yield from self.schemas(before[name], after[name], where)


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[Change]:
    for word in sorted(LOWER | UPPER):
        before, after = _number(old.get(word)), _number(new.get(word))
        if before == after:
            continue
        where = f"{at}: {word}"
        if after is None:
            yield Change("bound_widened", where, Verdict.ALLOWED)
        elif before is None or (after > before if word in LOWER else after < before):
            yield Change("bound_narrowed", where, Verdict.REFUSED)
        else:
            yield Change("bound_widened", where, Verdict.ALLOWED)
    if old.get("pattern") != new.get("pattern"):
        removed = new.get("pattern") is None
        name = "pattern_removed" if removed else "pattern_changed"
        yield Change(name, at, Verdict.ALLOWED if removed else Verdict.REFUSED)


def _alternatives(schema: Schema) -> dict[str, Schema]:
    """Return what a value may be, by kind; a schema without a choice is the only alternative."""
    for word in ("anyOf", "oneOf"):
        choice = schema.get(word)
        if isinstance(choice, list):
            found: dict[str, Schema] = {}
            for one in choice:
                if isinstance(one, dict):
                    for kind, alternative in _alternatives(one).items():
                        found[_unused(kind, found)] = alternative
            return found
    return {_kind(schema): schema}


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"])
    if not schema.get("type"):
        return "anything"
    form = schema.get("format")
    return f"{schema['type']}:{form}" if form else str(schema["type"])


def _unused(kind: str, taken: Mapping[str, Schema]) -> str:
    return kind if kind not in taken else _unused(f"{kind}, another", taken)


def _allowed(schema: Schema) -> set[str] | None:
    """Return the values that are listed one by one; None when any will do."""
    if "const" in schema:
        return {repr(schema["const"])}
    listed = schema.get("enum")
    return {repr(value) for value in listed} if isinstance(listed, list) else None


def _properties(schema: Schema) -> dict[str, Schema]:
    found = schema.get("properties")
    if not isinstance(found, dict):
        return {}
    return {name: one for name, one in found.items() if isinstance(one, dict)}


def _required(schema: Schema) -> set[str]:
    found = schema.get("required")
    return {str(name) for name in found} if isinstance(found, list) else set()


def _number(value: JsonValue) -> float | None:
    return value if isinstance(value, int | float) else None


def fingerprint(schemas: Schemas) -> dict[str, dict[str, JsonValue]]:
    """Return the schemas without the words that are for people only."""
    return {name: _silenced(schema) for name, schema in schemas.items()}


def _silenced(schema: Schema) -> dict[str, JsonValue]:
    bare: dict[str, JsonValue] = {}
    for word, said in schema.items():
        if word == "properties" and isinstance(said, dict):
            bare[word] = {name: _bare(one) for name, one in said.items()}
        elif word in ("default", "enum", "const"):
            bare[word] = said
        elif word not in SILENT:
            bare[word] = _bare(said)
    return bare


def _bare(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _silenced(value)
    return [_bare(one) for one in value] if isinstance(value, list) else value


def beyond(found: Sequence[Change], *, worst: Verdict) -> list[Change]:
    """Return the changes that are worse than what is tolerated."""
    order = list(Verdict)
    return [one for one in found if order.index(one.verdict) > order.index(worst)]
