"""Small files of every sort, no two alike."""

import json
from typing import Final

from testkit.kie.media import render

GIF_HEAD: Final = bytes.fromhex(
    "474946383961020002008000002f8fd8ffffff21ff0b4e45545343415045322e300301000000"
    "21f90400320000002c0000000002000200000202845100"
    "21f90400320000002c00000000020002000002024c0a00"
)
GIF_END: Final = b"\x3b"
OPUS: Final = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(40)
PDF: Final = b"%PDF-1.7\n"
TYPES: Final = {
    "png": "image/png",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "gif": "image/gif",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
}


def file_of(suffix: str, *, mark: str) -> bytes:
    """Make a file of this sort that nobody else's is equal to."""
    note = mark.encode()
    match suffix:
        case "gif":
            # A comment before the trailer.
            return GIF_HEAD + b"\x21\xfe" + bytes([len(note)]) + note + b"\x00" + GIF_END
        case "ogg":
            return OPUS + note
        case "pdf":
            return PDF + b"% " + note + b"\n%%EOF\n"
        case _:
            return _rendered(suffix, mark=mark)


def _rendered(suffix: str, *, mark: str) -> bytes:
    made = render(task_id=mark, number=1, suffix=suffix)
    if made is None:
        raise LookupError(f"nobody makes files that end in {suffix}")
    return made.body


def notes() -> str:
    """Return notes as KIE writes them."""
    return json.dumps(
        [
            {
                "name": "Drums",
                "notes": [{"pitch": 36, "start": 0.0, "end": 0.5, "velocity": 0.9}],
            }
        ]
    )
