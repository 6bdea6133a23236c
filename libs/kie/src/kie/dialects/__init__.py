"""Every dialect of KIE, and how a message finds its own."""

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
from kie.dialects.base import Dialect

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


def of_callback(root: dict[str, Json]) -> tuple[str | None, Dialect]:
    """Guess the family of a callback from its shape."""
    for dialect in DIALECTS:
        family = dialect.recognise_callback(root)
        if family is not None:
            return family, dialect
    return None, generic.DIALECT


def of_poll(root: dict[str, Json]) -> tuple[str | None, Dialect]:
    """Guess the family of a polling answer from its shape."""
    for dialect in DIALECTS:
        family = dialect.recognise_poll(root)
        if family is not None:
            return family, dialect
    return None, generic.DIALECT
