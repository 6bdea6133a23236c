"""Every dialect of KIE, and how a message finds its own."""

from collections.abc import Iterable
from dataclasses import dataclass

from kie.body import Json
from kie.dialects import (
    aleph,
    flux,
    generic,
    gpt4o,
    luma,
    market,
    midjourney,
    runway,
    suno_cover,
    suno_files,
    suno_lyrics,
    suno_midi,
    suno_music,
    suno_stems,
    suno_style,
    suno_voice,
    veo,
)
from kie.dialects.base import Dialect, Sign
from kie.paths import opened

# In the order of recognition: the more particular shape first.
DIALECTS: tuple[Dialect, ...] = (
    generic.DIALECT,
    suno_lyrics.DIALECT,
    suno_music.DIALECT,
    suno_stems.DIALECT,
    suno_midi.DIALECT,
    suno_files.WAV,
    suno_files.MP4,
    suno_cover.DIALECT,
    suno_voice.VALIDATE,
    suno_voice.GENERATE,
    suno_style.DIALECT,
    veo.DIALECT_4K,
    veo.DIALECT,
    veo.DIALECT_1080P,
    gpt4o.DIALECT,
    flux.DIALECT,
    aleph.DIALECT,
    runway.DIALECT,
    luma.DIALECT,
    midjourney.DIALECT,
    market.DIALECT,
)

BY_FAMILY: dict[str, Dialect] = {
    family: dialect for dialect in DIALECTS for family in dialect.families
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """The dialect a message speaks, its family if the shape tells one, and the sign that did."""

    dialect: Dialect
    family: str | None = None
    sign: Sign | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sign, and the keys without which it cannot fit: most are ruled out by them at a glance."""

    dialect: Dialect
    sign: Sign
    at_root: str
    in_data: str | None


def _candidates(signs: Iterable[tuple[Dialect, Sign]]) -> tuple[_Candidate, ...]:
    return tuple(_candidate(dialect, sign) for dialect, sign in signs)


def _candidate(dialect: Dialect, sign: Sign) -> _Candidate:
    first, _, rest = sign.path.partition(".")
    second = rest.partition(".")[0].removesuffix("[]")
    is_plain_key = first == "data" and second and not second.startswith("*")
    return _Candidate(dialect, sign, first.removesuffix("[]"), second if is_plain_key else None)


_OF_CALLBACKS = _candidates((each, sign) for each in DIALECTS for sign in each.callback_signs)
_OF_POLLS = _candidates((each, sign) for each in DIALECTS for sign in each.poll_signs)


def of_callback(root: dict[str, Json]) -> Recognised:
    """Guess the family of a callback from its shape."""
    return _first(_OF_CALLBACKS, root)


def of_poll(root: dict[str, Json]) -> Recognised:
    """Guess the family of a polling answer from its shape."""
    return _first(_OF_POLLS, root)


def _first(candidates: Iterable[_Candidate], root: dict[str, Json]) -> Recognised:
    data = opened(root.get("data"))
    inside = data if isinstance(data, dict) else {}
    for each in candidates:
        is_possible = each.at_root in root and (each.in_data is None or each.in_data in inside)
        if is_possible and each.sign.fits(root):
            family = each.sign.family or each.dialect.families[0]
            return Recognised(each.dialect, family, each.sign)
    return Recognised(generic.DIALECT)
