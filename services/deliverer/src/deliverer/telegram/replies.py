"""What Telegram says of a call that succeeded: the ids, and nothing of what we sent ourselves."""

from typing import Final, Literal

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from deliverer.domain.answers import Done, Standing

log = structlog.get_logger()

FILE_ID_LONGEST: Final = 300  # what the bus takes; the id only saves an upload


class _Lean(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _File(_Lean):
    file_id: str


class _Message(_Lean):
    message_id: int
    photo: list[_File] | None = None
    video: _File | None = None
    animation: _File | None = None
    audio: _File | None = None
    voice: _File | None = None
    document: _File | None = None

    def standing(self) -> Standing:
        """Name the message, and the id under which Telegram keeps its medium."""
        # An animation is repeated as a document, which its file_id is not.
        medium = self.video or self.animation or self.audio or self.voice or self.document
        kept = self.photo[-1] if self.photo else medium
        if kept is None:
            return Standing(self.message_id)
        if len(kept.file_id) > FILE_ID_LONGEST:
            log.info("telegram.file_id_dropped", length=len(kept.file_id))
            return Standing(self.message_id)
        return Standing(self.message_id, kept.file_id)


class _Success(_Lean):
    ok: Literal[True]
    result: _Message | list[_Message] | bool


def read(raw: bytes) -> Done | None:
    """Return what a success names; None when these are not the words of one."""
    try:
        result = _Success.model_validate_json(raw).result
    except ValidationError:
        return None
    match result:
        case _Message():
            standing = result.standing()
            return Done(message_id=standing.message_id, file_id=standing.file_id)
        case list():
            return Done(album=tuple(one.standing() for one in result))
        case _:
            return Done()
