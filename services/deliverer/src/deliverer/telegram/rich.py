"""A collage in aiogram's types: one rich message of Bot API 10.2 that holds several media."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Final

from aiogram.types import (
    InputMediaAnimation,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    InputRichBlockAnimation,
    InputRichBlockAudio,
    InputRichBlockCollage,
    InputRichBlockDocument,
    InputRichBlockParagraph,
    InputRichBlockPhoto,
    InputRichBlockVideo,
    InputRichMessage,
    RichTextBold,
    RichTextCode,
    RichTextItalic,
    RichTextSpoiler,
    RichTextStrikethrough,
    RichTextUnderline,
    RichTextUrl,
)

from contracts.markup import Entity
from deliverer.domain.bodies import CollageBody, Medium
from deliverer.domain.runs import Run, runs
from deliverer.domain.sniff import Shape
from deliverer.telegram.media_types import source

# All that a collage takes; the rest stands below it.
Visual = InputRichBlockPhoto | InputRichBlockVideo
Block = (
    Visual
    | InputRichBlockAnimation
    | InputRichBlockAudio
    | InputRichBlockDocument
    | InputRichBlockCollage
    | InputRichBlockParagraph
)
Text = (
    str
    | RichTextBold
    | RichTextItalic
    | RichTextUnderline
    | RichTextStrikethrough
    | RichTextSpoiler
    | RichTextCode
    | RichTextUrl
)

# Formatting of other types is left out; the words stay.
_WRAPPED: Final[Mapping[str, Callable[[Text], Text]]] = {
    "bold": lambda inner: RichTextBold(text=inner),
    "italic": lambda inner: RichTextItalic(text=inner),
    "underline": lambda inner: RichTextUnderline(text=inner),
    "strikethrough": lambda inner: RichTextStrikethrough(text=inner),
    "spoiler": lambda inner: RichTextSpoiler(text=inner),
    "code": lambda inner: RichTextCode(text=inner),
}


def rich_message(body: CollageBody) -> InputRichMessage:
    """Put pictures and films into one collage, what cannot be in it below, the words last."""
    blocks = [_block(medium) for medium in body.media]
    visual = [one for one in blocks if isinstance(one, Visual)]
    others: list[Block] = [one for one in blocks if not isinstance(one, Visual)]
    shown: list[Block] = [InputRichBlockCollage(blocks=list(visual))] if len(visual) > 1 else []
    if not shown:
        shown.extend(visual)
    words = [_text(run) for run in runs(body.caption, body.entities)]
    said: list[Block] = [InputRichBlockParagraph(text=list(words))] if words else []
    # Hostile text stays text: nothing in it becomes a link by itself.
    return InputRichMessage(blocks=[*shown, *others, *said], skip_entity_detection=True)


def _block(medium: Medium) -> Block:
    media = source(medium.source)
    match medium.shape:
        case Shape.PHOTO:
            return InputRichBlockPhoto(photo=InputMediaPhoto(media=media, parse_mode=None))
        case Shape.VIDEO:
            return InputRichBlockVideo(video=InputMediaVideo(media=media, parse_mode=None))
        case Shape.ANIMATION:
            animation = InputMediaAnimation(media=media, parse_mode=None)
            return InputRichBlockAnimation(animation=animation)
        case Shape.AUDIO | Shape.VOICE:
            return InputRichBlockAudio(audio=InputMediaAudio(media=media, parse_mode=None))
        case Shape.DOCUMENT:
            document = InputMediaDocument(media=media, parse_mode=None)
            return InputRichBlockDocument(document=document)


def _text(run: Run) -> Text:
    plain: Text = run.text
    return reduce(_formatted, run.entities, plain)


def _formatted(inner: Text, entity: Entity) -> Text:
    if entity.type == "text_link" and entity.url is not None:
        return RichTextUrl(text=inner, url=entity.url)
    wrap = _WRAPPED.get(entity.type)
    return inner if wrap is None else wrap(inner)
