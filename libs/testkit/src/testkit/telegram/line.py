"""One client's connection, and the ways an answer gets lost on it."""

import asyncio
import json
import socket
import struct

from aiohttp import web

from testkit.telegram.wire import ApiError, Json, JsonObject

_HTML_502 = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n"
    "</body>\r\n</html>\r\n"
)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Line:
    """Answers one request, or breaks the connection in a chosen way."""

    def __init__(self, request: web.Request) -> None:
        self._transport = request.transport

    def close(self) -> web.Response:
        """Close without an answer."""
        if self._transport is not None:
            self._transport.close()
        return _unsent()

    def reset(self) -> web.Response:
        """Reset: the peer gets an RST instead of a FIN."""
        if isinstance(self._transport, asyncio.Transport):
            reset(self._transport)
        return _unsent()

    async def hang(self, seconds: float) -> web.Response:
        """Say nothing for a while, then close."""
        await asyncio.sleep(seconds)
        return self.close()

    def truncated(self, answer: web.Response) -> web.Response:
        """Send the head and half of the body, then close."""
        body = answer.body if isinstance(answer.body, bytes) else b"{}"
        head = (
            f"HTTP/1.1 {answer.status} OK\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        if isinstance(self._transport, asyncio.Transport):
            self._transport.write(head.encode() + body[: len(body) // 2])
        return self.close()


def reset(transport: asyncio.Transport) -> None:
    """Abort a connection so that the peer gets an RST."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def _unsent() -> web.Response:
    # The connection is gone; the server needs some value and discards it.
    return web.Response()


def success(result: Json) -> web.Response:
    """HTTP 200 with a result."""
    return _json(200, {"ok": True, "result": result})


def failure(error: ApiError) -> web.Response:
    """An error as the Bot API shapes it, with Retry-After where it belongs."""
    answer = _json(error.code, error.body())
    if error.parameters and "retry_after" in error.parameters:
        answer.headers["Retry-After"] = str(error.parameters["retry_after"])
    return answer


def html_502() -> web.Response:
    """What a proxy in front of the Bot API answers."""
    return web.Response(status=502, text=_HTML_502, content_type="text/html")


def undecodable(result: Json) -> web.Response:
    """Answer ok with a result no client model accepts, the ids still readable."""
    match result:
        case dict():
            return success(_spoiled(result))
        case list():
            return success([_spoiled(one) if isinstance(one, dict) else one for one in result])
        case _:
            return success({"unexpected": result})


def _spoiled(message: JsonObject) -> JsonObject:
    return {**message, "date": "soon", "chat": "unknown"}


def _json(status: int, body: JsonObject) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(body, separators=(",", ":")).encode(),
        content_type="application/json",
    )
