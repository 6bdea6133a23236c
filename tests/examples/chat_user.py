"""A person in a chat of the fake Telegram: writes, taps, waits, looks."""

from collections.abc import Callable
from dataclasses import dataclass

from deployment import eventually
from testkit.telegram import FakeTelegram, Kind, ShownMessage

PATIENCE = 30.0  # s; a bot of its own process imports aiogram first


@dataclass(slots=True)
class ChatUser:
    """One private chat with one bot."""

    telegram: FakeTelegram
    token: str
    id: int

    def say(self, text: str) -> int:
        """Write to the bot."""
        return self.telegram.say(self.telegram.add_bot(self.token), self.id, text)

    async def taps(self, message: ShownMessage, data: str) -> str:
        """Press a button; return what the bot answered."""
        query = self.telegram.press(self.id, message.message_id, data)

        async def answered() -> bool:
            return self.telegram.answer_to(query) is not None

        await eventually(answered, within=PATIENCE)
        return self.telegram.answer_to(query) or ""

    @property
    def chat(self) -> list[ShownMessage]:
        """What the bot's messages say now, oldest first."""
        return [one for one in self.telegram.visible(self.id) if not one.from_user]

    async def sees(self, wanted: Callable[[ShownMessage], bool]) -> ShownMessage:
        """Wait for a message of the bot that is as wanted; return the newest such."""
        found: list[ShownMessage] = []

        def stands() -> bool:
            found[:] = [one for one in self.chat if wanted(one)]
            return bool(found)

        await self.telegram.until(stands, seconds=PATIENCE)
        return found[-1]

    async def reads(self, words: str) -> ShownMessage:
        """Wait for a message with these words."""
        return await self.sees(lambda one: words in one.text)

    async def has_pictures(self, count: int) -> None:
        """Wait until so many photos stand in the chat."""
        await self.telegram.until(
            lambda: sum(one.kind is Kind.PHOTO for one in self.chat) == count, seconds=PATIENCE
        )

    async def is_shown(self, kind: Kind) -> ShownMessage:
        """Wait for a medium."""
        return await self.sees(lambda one: one.kind is kind)
