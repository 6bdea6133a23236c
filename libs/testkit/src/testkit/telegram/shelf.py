"""Files under /sim/files that whoever looks at a deployment has it show: put here, fetched from here."""

from collections import OrderedDict

from aiohttp import web

from testkit.telegram.replies import done, missing

FILES_KEPT = 500  # small ones; the oldest goes first
PATH = "/sim/files/{name:[A-Za-z0-9_.-]+}"


class Files:
    """Serves what was put, with the type it was put with."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, tuple[bytes, str]] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """Both routes."""
        return [web.put(PATH, self.put), web.get(PATH, self.get)]

    async def put(self, request: web.Request) -> web.Response:
        """Keep a file."""
        self._files[request.match_info["name"]] = (await request.read(), request.content_type)
        if len(self._files) > FILES_KEPT:
            self._files.popitem(last=False)
        return done()

    async def get(self, request: web.Request) -> web.Response:
        """Serve a file."""
        found = self._files.get(request.match_info["name"])
        if found is None:
            raise missing("no such file")
        content, mime = found
        return web.Response(body=content, content_type=mime)
