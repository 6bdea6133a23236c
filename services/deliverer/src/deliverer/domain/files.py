"""The bytes we upload: fetched, or written from a content's own words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from contracts.deliveries import Content
from contracts.values import MediaKind
from deliverer.domain import midi, naming, sniff
from deliverer.domain.sniff import Shape

TEXT_NAME: Final = "text"
MIDI_NAME: Final = "melody"
RESULT_NAME: Final = "result"
OPUS_HEAD: Final = b"OpusHead"  # in the first page of an Ogg file that Telegram plays as a voice


@dataclass(frozen=True, slots=True)
class File:
    """Bytes with a name, and how they are shown."""

    name: str
    content: bytes
    shape: Shape


Files = Mapping[str, File]  # what was fetched, by link


def written(content: Content) -> File:
    """Write the file a content consists of: a long text, a document's text, notes."""
    words = content.text if content.body is None else content.body
    if content.kind is MediaKind.MIDI:
        return _notes(content.name, words)
    name = naming.file_name(content.name, otherwise=TEXT_NAME, suffix=".txt")
    return File(name, words.encode(), Shape.DOCUMENT)


def _notes(asked: str | None, body: str) -> File:
    try:
        music, suffix = midi.midi_file(body), ".mid"
    except midi.NoNotes:
        # Whoever paid for them can still use the notes as the provider wrote them.
        music, suffix = body.encode(), ".json"
    name = naming.file_name(asked, otherwise=MIDI_NAME, suffix=suffix, keep=False)
    return File(name, music, Shape.DOCUMENT)


def named(content: Content, file: File) -> File:
    """Give a fetched file the name asked for; without a suffix of its own it gets the true one."""
    if content.name is None:
        return file
    suffix = sniff.name_suffix(file.name)
    return replace(file, name=naming.file_name(content.name, otherwise=RESULT_NAME, suffix=suffix))


def is_voice(file: File) -> bool:
    """Say whether Telegram plays these bytes as a voice note: MP3, M4A, or Opus in Ogg."""
    if file.shape is not Shape.AUDIO:
        return False
    return not file.content.startswith(b"OggS") or OPUS_HEAD in file.content[: sniff.HEAD]
