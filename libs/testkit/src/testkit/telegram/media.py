"""The files of the fake: their bytes, kept in bounds, and their identifiers, one per bot."""

import hashlib
import mimetypes
from base64 import urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

from testkit.telegram.sniff import (
    PLAIN_TEXT,
    UNKNOWN_SIZE,
    UNKNOWN_TYPE,
    Size,
    mime_of,
    picture_size,
    text_of,
)
from testkit.telegram.wire import bad_request

BYTES_KEPT = 128 << 20


class Kind(StrEnum):
    """What a message is."""

    TEXT = "text"
    PHOTO = "photo"
    VIDEO = "video"
    ANIMATION = "animation"
    AUDIO = "audio"
    DOCUMENT = "document"
    VOICE = "voice"
    RICH = "rich"  # a message of blocks, which may hold many media


_FILE_ID_PREFIX = {
    Kind.PHOTO: "AgACAgIAAxk",
    Kind.VIDEO: "BAACAgIAAxk",
    Kind.ANIMATION: "CgACAgIAAxk",
    Kind.AUDIO: "CQACAgIAAxk",
    Kind.DOCUMENT: "BQACAgIAAxk",
    Kind.VOICE: "AwACAgIAAxk",
}
_TYPES_BY_NAME = mimetypes.MimeTypes()  # Python's own table: the same on every machine
_WHOLE, _SMALL, _MEDIUM = "x", "s", "m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """What is known of some bytes; the bytes themselves may be gone from memory."""

    digest: str
    length: int
    mime: str
    size: Size
    written: str = ""  # what it says, when it is a text of readable length


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """A file as Telegram holds it; two with equal `identity` are the same file."""

    kind: Kind
    blob: Blob
    identity: str
    name: str
    source_url: str | None = None

    @property
    def mime(self) -> str:
        """The type by the bytes; where they do not tell, by the name."""
        if self.blob.mime not in (UNKNOWN_TYPE, PLAIN_TEXT):
            return self.blob.mime
        return _TYPES_BY_NAME.guess_type(self.name, strict=False)[0] or self.blob.mime

    @property
    def unique_id(self) -> str:
        """The same for every bot, unlike a file_id."""
        return f"AQAD{self.blob.digest[:16]}"


class BlobStore:
    """Bytes by digest; the least recently used leave when the bound is reached."""

    def __init__(self, bytes_kept: int = BYTES_KEPT) -> None:
        self._bytes_kept = bytes_kept
        self._held = 0
        self._content: OrderedDict[str, bytes] = OrderedDict()
        self._blobs: dict[str, Blob] = {}

    def keep(self, content: bytes) -> Blob:
        """Hold the bytes and describe them."""
        digest = hashlib.sha256(content).hexdigest()
        blob = self._blobs.get(digest)
        if blob is None:
            blob = _described(digest, content)
            self._blobs[digest] = blob
        if digest not in self._content:
            self._content[digest] = content
            self._held += len(content)
        self._content.move_to_end(digest)
        while self._held > self._bytes_kept and len(self._content) > 1:
            _, dropped = self._content.popitem(last=False)
            self._held -= len(dropped)
        return blob

    def content(self, digest: str) -> bytes | None:
        """The bytes, unless they had to leave."""
        return self._content.get(digest)

    def blob(self, digest: str) -> Blob | None:
        """What is known of a digest."""
        return self._blobs.get(digest)


def _described(digest: str, content: bytes) -> Blob:
    mime = mime_of(content)
    written = text_of(content) if mime == UNKNOWN_TYPE else ""
    return Blob(
        digest=digest,
        length=len(content),
        mime=PLAIN_TEXT if written else mime,
        size=picture_size(content) or UNKNOWN_SIZE,
        written=written,
    )


class FileRegistry:
    """Who may use which file_id: each belongs to one bot and keeps its kind."""

    def __init__(self) -> None:
        self._files: dict[tuple[int, str], MediaFile] = {}

    def file_id(self, bot_id: int, file: MediaFile, *, variant: str = _WHOLE) -> str:
        """This bot's name for the file."""
        seed = f"{bot_id}:{file.kind}:{file.identity}".encode()
        tail = urlsafe_b64encode(hashlib.sha256(seed).digest()).decode().rstrip("=")
        file_id = f"{_FILE_ID_PREFIX[file.kind]}{tail}{variant}"
        self._files[bot_id, file_id] = file
        return file_id

    def photo_file_ids(self, bot_id: int, file: MediaFile) -> tuple[str, str, str]:
        """Name the small, medium and whole picture."""
        return (
            self.file_id(bot_id, file, variant=_SMALL),
            self.file_id(bot_id, file, variant=_MEDIUM),
            self.file_id(bot_id, file),
        )

    def find(self, bot_id: int, file_id: str) -> MediaFile | None:
        """The file this bot knows by that id."""
        return self._files.get((bot_id, file_id))

    def usable(self, bot_id: int, file_id: str, kind: Kind) -> MediaFile:
        """Find a file to send as `kind`, or refuse as Telegram does."""
        file = self.find(bot_id, file_id)
        if file is not None:
            if file.kind is not kind:
                raise bad_request(f"can't use file of type {_named(file.kind)} as {_named(kind)}")
            return file
        # A well-formed file_id that this bot never received names no file it can reach.
        if any(file_id.startswith(prefix) for prefix in _FILE_ID_PREFIX.values()):
            raise bad_request("wrong file identifier/HTTP URL specified")
        raise bad_request("wrong remote file identifier specified: Wrong padding in the string")


def _named(kind: Kind) -> str:
    return "VoiceNote" if kind is Kind.VOICE else kind.title()
