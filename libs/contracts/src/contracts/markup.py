"""What stands beside the words of a message: their formatting, and buttons below them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.message import Value
from contracts.values import Url, UserId, Word

CALLBACK_DATA_BYTES = 64  # Telegram's limit; telegram.md section 8


class Entity(Value):
    """A Telegram message entity; offsets in UTF-16 units. Never parse_mode: hostile text stays text."""

    type: Word
    offset: Annotated[int, Field(ge=0)]
    length: Annotated[int, Field(ge=1)]
    url: Annotated[Url | None, Field(description="of a text_link")] = None
    language: Annotated[Word | None, Field(description="of a pre")] = None
    custom_emoji_id: Annotated[Word | None, Field(description="of a custom_emoji")] = None
    user_id: Annotated[UserId | None, Field(description="of a text_mention")] = None


class Button(Value):
    """An inline button: opens a link, or sends ``data`` back to the bot as a callback query."""

    text: Annotated[Word, Field(max_length=64)]
    url: Url | None = None
    data: Annotated[Word | None, Field(description="1 to 64 bytes in UTF-8")] = None

    @model_validator(mode="after")
    def _does_exactly_one_thing(self) -> Self:
        if (self.url is None) == (self.data is None):
            msg = "give url or data, and not both"
            raise ValueError(msg)
        if self.data is not None and len(self.data.encode()) > CALLBACK_DATA_BYTES:
            msg = f"data is longer than {CALLBACK_DATA_BYTES} bytes"
            raise ValueError(msg)
        return self


Row = Annotated[tuple[Button, ...], Field(min_length=1, max_length=8)]
Keyboard = Annotated[
    tuple[Row, ...], Field(max_length=12, description="rows of inline buttons, kept by every edit")
]
