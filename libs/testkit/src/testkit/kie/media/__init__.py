"""Small but real media files, one of its own for every (task, number, suffix)."""

import struct
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from testkit.kie.media.colour import pair_for
from testkit.kie.media.jpeg import jpeg
from testkit.kie.media.png import png
from testkit.kie.media.wav import wav

CONTENT_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "txt": "text/plain",
}


class Medium(StrEnum):
    """What a task makes; the value is the suffix of its files."""

    PNG = "png"
    JPEG = "jpeg"
    VIDEO = "mp4"
    AUDIO = "mp3"
    WAV = "wav"
    TEXT = "txt"


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file as it is served."""

    body: bytes
    content_type: str


def render(*, task_id: str, number: int, suffix: str) -> MediaFile | None:
    """The file a media URL stands for; None for a suffix nobody serves."""
    label = f"{task_id}/{number}"
    first, second = pair_for(label)
    match suffix:
        case "png":
            body = png(label=label, top=first, bottom=second)
        case "jpeg":
            body = jpeg(label=label, top=first, bottom=second)
        case "mp4":
            body = _sample("clip.mp4") + _free_box(label)
        case "mp3":
            body = _id3(label) + _sample("tone.mp3")
        case "wav":
            body = wav(label=label)
        case "txt":
            body = lyrics(label).encode()
        case _:
            return None
    return MediaFile(body=body, content_type=CONTENT_TYPES[suffix])


def lyrics(label: str) -> str:
    """A text of its own for every label."""
    return f"[Verse]\nThe lines of {label}\n"


@cache
def _sample(name: str) -> bytes:
    return (files(__package__) / "samples" / name).read_bytes()


def _free_box(label: str) -> bytes:
    text = label.encode()
    return struct.pack(">I4s", len(text) + 8, b"free") + text


def _id3(label: str) -> bytes:
    """An ID3v2.3 tag whose title is the label."""
    text = b"\x00" + label.encode("latin-1", "replace")
    frame = b"TIT2" + struct.pack(">IH", len(text), 0) + text
    size = len(frame)
    # ID3 sizes carry seven bits to the byte, so that no byte looks like an MPEG frame.
    sevens = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + sevens + frame
