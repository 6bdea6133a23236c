"""A message as its reader saw it at one moment, and what counts as a content in it."""

import re
from dataclasses import dataclass

from testkit.telegram.media import Kind, MediaFile
from testkit.telegram.state import Message
from testkit.telegram.wire import JsonObject, string

_LINK = re.compile(r"https?://[^\s<>\"]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
MessageKey = tuple[int, int, int]  # owner (0 in shared chats), chat, message


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPart:
    """One medium a message shows: its only one, or one of a rich message's many."""

    kind: Kind
    digest: str  # sha256 of its bytes
    url: str | None
    file_name: str
    mime: str
    size: int
    width: int
    height: int
    written: str = ""  # what a document of text says


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """A message as it stood in a chat at one moment."""

    owner: int
    bot_id: int
    chat_id: int
    message_id: int
    kind: Kind
    text: str  # the text, the caption of a medium, or all the words of a rich message
    digest: str | None  # sha256 of the medium's bytes
    url: str | None
    sent_at: float
    edited_at: float | None
    edits: int
    notify: bool
    from_user: bool
    album: str | None
    thread_id: int | None
    reply_to: int | None
    markup: JsonObject | None
    entities: tuple[JsonObject, ...]
    file_name: str | None
    mime: str | None
    width: int | None
    height: int | None
    reaction: str
    fault: str  # the fault the last commit went through, if any
    protected: bool = False
    parts: tuple[ShownPart, ...] = ()
    blocks: tuple[JsonObject, ...] = ()  # of a rich message; media name their part by number

    @property
    def key(self) -> MessageKey:
        """Owner, chat and message id: one message, ever."""
        return (self.owner, self.chat_id, self.message_id)

    def contains(self, content: str) -> bool:
        """Claim that this message shows the medium (by digest or URL) or the text."""
        if content in self.media or content in self.links:
            return True
        if not content or names_a_medium(content):
            return False
        return content in self.text or any(content in part.written for part in self.parts)

    @property
    def media(self) -> frozenset[str]:
        """Digests and URLs of every medium shown."""
        urls = {part.url for part in self.parts if part.url}
        return frozenset({part.digest for part in self.parts} | urls)

    @property
    def links(self) -> list[str]:
        """URLs a user can open from the text, written out or behind words."""
        behind = [string(entity.get("url")) for entity in self.entities if "url" in entity]
        return [*_LINK.findall(self.text), *behind] if behind or "http" in self.text else []


def names_a_medium(content: str) -> bool:
    """Claim that a content is looked up as a medium, so that asking for thousands stays cheap."""
    return content.startswith(("http://", "https://")) or bool(_DIGEST.fullmatch(content))


def shown_message(message: Message) -> ShownMessage:
    """A message as it stands now."""
    media, rich = message.media, message.rich
    files = rich.files if rich else (media,) if media else ()
    return ShownMessage(
        owner=message.chat.owner,
        bot_id=message.bot_id,
        chat_id=message.chat.id,
        message_id=message.id,
        kind=message.kind,
        text=message.body.text,
        digest=media.blob.digest if media else None,
        url=media.source_url if media else None,
        sent_at=message.date,
        edited_at=message.edited,
        edits=message.edits,
        notify=message.notify,
        from_user=message.from_user,
        album=message.album,
        thread_id=message.thread_id,
        reply_to=message.reply_to,
        markup=message.markup,
        entities=message.body.entity_objects,
        file_name=media.name if media else None,
        mime=media.mime if media else None,
        width=media.blob.size.width if media else None,
        height=media.blob.size.height if media else None,
        reaction=message.reaction,
        fault=message.fault,
        protected=message.protected,
        parts=tuple(_part(file) for file in files),
        blocks=rich.blocks if rich else (),
    )


def _part(file: MediaFile) -> ShownPart:
    return ShownPart(
        kind=file.kind,
        digest=file.blob.digest,
        url=file.source_url,
        file_name=file.name,
        mime=file.mime,
        size=file.blob.length,
        width=file.blob.size.width,
        height=file.blob.size.height,
        written=file.blob.written if file.kind is Kind.DOCUMENT else "",
    )
