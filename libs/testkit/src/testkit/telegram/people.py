"""What users and admins of the sandbox's chats do, asked for over /sim."""

from collections.abc import Callable, Mapping

from testkit.telegram.orders import PersonOrder
from testkit.telegram.sandbox import Sandbox
from testkit.telegram.state import Topic
from testkit.telegram.wire import JsonObject

Deed = Callable[[int, PersonOrder], JsonObject | None]


class People:
    """The deeds by name; each raises LookupError when there is nothing to do it to."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.deeds: Mapping[str, Deed] = {
            "block": self._block,
            "unblock": self._unblock,
            "migrate": self._migrate,
            "delete_message": self._delete,
            "close_topic": self._close_topic,
            "delete_topic": self._delete_topic,
            "forbid": self._forbid,
            "say": self._say,
            "press": self._press,
        }

    def _block(self, chat_id: int, order: PersonOrder) -> None:
        self._sandbox.block(chat_id, bot_id=order.bot_id)

    def _unblock(self, chat_id: int, order: PersonOrder) -> None:
        self._sandbox.unblock(chat_id, bot_id=order.bot_id)

    def _migrate(self, chat_id: int, _order: PersonOrder) -> JsonObject:
        return {"new_chat_id": self._sandbox.migrate(chat_id)}

    def _delete(self, chat_id: int, order: PersonOrder) -> None:
        found = self._sandbox.delete_message(
            chat_id, order.message_id, bot_id=order.bot_id, one_sided=order.one_sided
        )
        if not found:
            raise LookupError("no such message")

    def _close_topic(self, chat_id: int, order: PersonOrder) -> None:
        self._sandbox.world.set_topic(chat_id, order.thread_id, Topic.CLOSED)

    def _delete_topic(self, chat_id: int, order: PersonOrder) -> None:
        self._sandbox.delete_topic(chat_id, order.thread_id)

    def _forbid(self, chat_id: int, order: PersonOrder) -> None:
        self._sandbox.world.forbid(chat_id, order.kinds)

    def _say(self, chat_id: int, order: PersonOrder) -> JsonObject:
        bots = self._sandbox.world.bots.values()
        bot = next((one for one in bots if order.bot_id in (None, one.id)), None)
        if bot is None:
            raise LookupError("no such bot has called yet: is yours running?")
        thread_id = order.thread_id or None
        return {"message_id": self._sandbox.say(bot, chat_id, order.text, thread_id=thread_id)}

    def _press(self, chat_id: int, order: PersonOrder) -> JsonObject:
        query = self._sandbox.press(chat_id, order.message_id, order.data)
        return {"callback_query_id": query}
