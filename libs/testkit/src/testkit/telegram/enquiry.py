"""The /sim endpoints that ask the oracle; what they ask changes nothing."""

import dataclasses

from aiohttp import web

from testkit.telegram.orders import ContentsOrder
from testkit.telegram.page.feed import entry_json, shown_json
from testkit.telegram.replies import number, read
from testkit.telegram.sandbox import Sandbox
from testkit.telegram.verdicts import Verdicts

LOG_PAGE = 1000


class Enquiry:
    """Serves what tests and the page want to know."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._verdicts = Verdicts(sandbox.oracle)

    def routes(self) -> list[web.RouteDef]:
        """Every /sim route that only reads what happened."""
        return [
            web.get("/sim/log", self.log),
            web.get("/sim/shown", self.shown),
            web.get("/sim/ever", self.ever),
            web.post("/sim/ever", self.ever_many),
            web.get("/sim/chats/{chat:-?\\d+}/history", self.history),
            web.post("/sim/tally", self.tally),
            web.post("/sim/overwritten", self.overwritten),
            web.post("/sim/spares", self.spares),
        ]

    async def log(self, request: web.Request) -> web.Response:
        """Log entries after a number, in pages."""
        limit = min(number(request, "limit") or LOG_PAGE, LOG_PAGE)
        after = number(request, "after") or 0
        entries = self._sandbox.oracle.log(after=after, limit=limit)
        return web.json_response(
            {
                "entries": [entry_json(entry) for entry in entries],
                "last_seq": self._sandbox.oracle.last_seq,
            }
        )

    async def shown(self, request: web.Request) -> web.Response:
        """Where a content is visible now."""
        standing = self._sandbox.oracle.shown(request.query.get("content", ""))
        return web.json_response([shown_json(message) for _, message in standing])

    async def ever(self, request: web.Request) -> web.Response:
        """In which messages a content has ever stood."""
        keys = self._sandbox.oracle.ever_shown(request.query.get("content", ""))
        return web.json_response({"count": len(keys), "messages": keys})

    async def ever_many(self, request: web.Request) -> web.Response:
        """Both counts for each of many contents."""
        order = await read(request, ContentsOrder)
        oracle = self._sandbox.oracle
        return web.json_response(
            {
                content: {
                    "ever": oracle.ever_shown_count(content),
                    "now": len(oracle.shown(content)),
                }
                for content in order.contents
            }
        )

    async def history(self, request: web.Request) -> web.Response:
        """Every state of one message, oldest first."""
        chat_id, message_id = int(request.match_info["chat"]), number(request, "message") or 0
        views = self._sandbox.world.views_of(chat_id, bot_id=number(request, "bot"))
        states = self._verdicts.history((one.owner, chat_id, message_id) for one in views)
        return web.json_response([shown_json(state) for state in states])

    async def tally(self, request: web.Request) -> web.Response:
        """Which contents were shown once, twice, never, or are gone."""
        order = await read(request, ContentsOrder)
        return web.json_response(dataclasses.asdict(self._verdicts.tally(order.contents)))

    async def overwritten(self, request: web.Request) -> web.Response:
        """Messages that showed a result and later something else."""
        order = await read(request, ContentsOrder)
        return web.json_response(
            [
                {"before": shown_json(one.before), "after": shown_json(one.after)}
                for one in self._verdicts.overwritten(order.contents)
            ]
        )

    async def spares(self, request: web.Request) -> web.Response:
        """What bots left standing that shows none of the contents."""
        order = await read(request, ContentsOrder)
        return web.json_response([shown_json(one) for one in self._verdicts.spares(order.contents)])
