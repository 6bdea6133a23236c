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


def of_callback(root: dict[str, Json]) -> Recognised:
    """Guess the family of a callback from its shape."""
    signs = ((dialect, sign) for dialect in DIALECTS for sign in dialect.callback_signs)
    return _first(signs, root)


def of_poll(root: dict[str, Json]) -> Recognised:
    """Guess the family of a polling answer from its shape."""
    signs = ((dialect, sign) for dialect in DIALECTS for sign in dialect.poll_signs)
    return _first(signs, root)


def _first(signs: Iterable[tuple[Dialect, Sign]], root: dict[str, Json]) -> Recognised:
    for dialect, sign in signs:
        if sign.fits(root):
            return Recognised(dialect, sign.family or dialect.families[0], sign)
    return Recognised(generic.DIALECT)
