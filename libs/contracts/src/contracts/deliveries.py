"""One thing to do in a Telegram chat: asked by job-store, done by deliverer."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.markup import Entity, Keyboard
from contracts.message import Attempt, Message, Value
from contracts.outcomes import Ambiguous, Later, NotSent, Refused
from contracts.values import (
    Body,
    BotSlug,
    ChatId,
    FileId,
    Line,
    MediaKind,
    MessageId,
    Text,
    Url,
    Word,
)


class RefusalCode(StrEnum):
    """Why Telegram will never do this as asked; telegram.md sections 2.3, 6.2, 7.3."""

    CARRIER_GONE = "carrier_gone"  # message to edit not found
    CARRIER_UNEDITABLE = "carrier_uneditable"  # message can't be edited
    MEDIA_UNUSABLE = "media_unusable"  # no way to show this medium worked, all certainly not shown
    MEDIA_GONE = "media_gone"  # the result's link died before it was shown
    PAYLOAD = "payload"
    BLOCKED = "blocked"  # the user blocked the bot: parked, not refused for good
    CHAT_GONE = "chat_gone"
    NO_RIGHTS = "no_rights"


class Item(Value):
    """One medium of a collage."""

    kind: MediaKind
    url: Url | None = None
    file_id: FileId | None = None


class Content(Value):
    """What must stand in the message: the whole desired state, rendered the same way on every attempt."""

    kind: MediaKind
    url: Url | None = None
    file_id: FileId | None = None
    text: Annotated[Text, Field(description="caption of a medium, or the text itself")] = ""
    entities: Annotated[tuple[Entity, ...], Field(max_length=1_000)] = ()
    buttons: Keyboard = ()
    body: Annotated[
        Body | None, Field(description="a document's own text, or the notes of kind `midi`")
    ] = None
    name: Annotated[Word | None, Field(description="file name of a document")] = None
    items: Annotated[
        tuple[Item, ...],
        Field(max_length=50, description="two or more: one rich message that holds them all"),
    ] = ()


class Existing(Value):
    """Edit this message; its id is stored."""

    kind: Literal["existing"] = "existing"
    message_id: MessageId


class Fresh(Value):
    """Post a carrier first, have its id stored by ``effects.carried``, then edit."""

    kind: Literal["fresh"] = "fresh"
    text: Annotated[Line, Field(description="true for ever, whatever happens next")]
    silent: bool = False


class PostStatus(Value):
    """Post the line that says the job is being worked on."""

    kind: Literal["post_status"] = "post_status"
    text: Line
    silent: bool = True


class Show(Value):
    """Make one part stand in one message."""

    kind: Literal["show"] = "show"
    part_id: UUID
    content: Content
    carrier: Annotated[Existing | Fresh, Field(discriminator="kind")]


class Rewrite(Value):
    """Make a status message say this one line: progress while the job runs, a pointer afterwards."""

    kind: Literal["rewrite"] = "rewrite"
    message_id: MessageId
    text: Line


class Remove(Value):
    """Delete a spare carrier whose id was learned late."""

    kind: Literal["remove"] = "remove"
    message_id: MessageId


class SendPart(Value):
    """One message of a ``Send``."""

    part_id: UUID
    content: Content


class Send(Value):
    """Send one message, or several as one album; never repeated, so ``effects.begin`` comes first.

    Media is fetched before the question, because the lease it grants is for the call alone.
    """

    kind: Literal["send"] = "send"
    parts: Annotated[tuple[SendPart, ...], Field(min_length=1, max_length=10)]
    silent: bool = False
    call_timeout: Annotated[
        float, Field(gt=0, le=300, description="seconds one call may take, its upload included")
    ]


class Stage(Value):
    """Put a medium into the bot's staging chat for its file_id, before its link dies."""

    kind: Literal["stage"] = "stage"
    part_id: UUID
    chat_id: ChatId
    content: Content


Action = Annotated[PostStatus | Show | Rewrite | Remove | Send | Stage, Field(discriminator="kind")]


class DeliveryRequested(Message):
    """One thing to do in a chat, with the right to do it once."""

    attempt: Attempt
    job_id: UUID
    bot: BotSlug
    token_ref: Annotated[
        Word, Field(description="reference of the bot's token; never the token itself")
    ]
    chat_id: ChatId
    thread_id: MessageId | None = None
    reply_to: MessageId | None = None
    protect: Annotated[bool, Field(description="what is sent cannot be forwarded or saved")] = False
    action: Action


class Shown(Value):
    """It stands there; for ``Remove`` it is gone, for ``Stage`` the file_id is what counts."""

    kind: Literal["done"] = "done"
    message_id: MessageId
    file_id: FileId | None = None


class SentPart(Value):
    """One message of a ``Send``, as Telegram answered it."""

    part_id: UUID
    message_id: MessageId
    file_id: FileId | None = None


class Sent(Value):
    """Every message of a ``Send`` stands there."""

    kind: Literal["sent"] = "sent"
    parts: Annotated[tuple[SentPart, ...], Field(min_length=1, max_length=10)]


class Migrated(Value):
    """The group became a supergroup: certainly not sent, and every old message id is void."""

    kind: Literal["migrated"] = "migrated"
    chat_id: ChatId


DeliveryResult = Annotated[
    Shown | Sent | NotSent | Later | Ambiguous | Refused | Migrated, Field(discriminator="kind")
]


class DeliveryOutcome(Message):
    """Self-contained, with the evidence: a message id is never thrown away, whoever reports it."""

    attempt_id: UUID
    holder: Annotated[
        UUID | None,
        Field(description="of a ``Send``: who asked ``effects.begin`` before this was said"),
    ] = None
    job_id: UUID
    bot: BotSlug
    chat_id: ChatId
    part_id: UUID | None = None
    result: DeliveryResult
    carrier_id: Annotated[
        MessageId | None, Field(description="the carrier this attempt posted or used")
    ] = None
    stray_ids: Annotated[tuple[MessageId, ...], Field(max_length=10)] = ()
    edit_maybe_applied: Annotated[
        bool,
        Field(description="an edit of the carrier was started and is not certainly without effect"),
    ] = False
