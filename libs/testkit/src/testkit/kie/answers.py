"""How an answer leaves, or fails to leave, this server."""

import asyncio

from aiohttp import web

from testkit.kie.plans import CreateAnswer
from testkit.kie.tasks import Task
from testkit.kie.wire import JsonObject, compact, envelope, success

LONGEST_HANG = 120.0
BAD_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def reply(body: JsonObject, *, status: int = 200) -> web.Response:
    """A JSON answer in KIE's manner."""
    return web.Response(body=compact(body).encode(), status=status, content_type="application/json")


def close_unanswered(request: web.Request) -> web.Response:
    """Reset the connection; what is returned never reaches anyone."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def hang(request: web.Request, *, until: asyncio.Event) -> web.Response:
    """Say nothing until the caller gives up, the server stops or two minutes are over."""
    try:
        async with asyncio.timeout(LONGEST_HANG):
            await until.wait()
    except TimeoutError:
        return close_unanswered(request)
    return close_unanswered(request)


async def answer_created(
    request: web.Request, task: Task, *, closing: asyncio.Event
) -> web.StreamResponse:
    """Answer an accepted create call as its plan says."""
    created = success(task.family.created(task.task_id))
    match task.plan.create_answer:
        case CreateAnswer.OK:
            return reply(created)
        case CreateAnswer.CLOSED:
            return close_unanswered(request)
        case CreateAnswer.HANGS:
            return await hang(request, until=closing)
        case CreateAnswer.HTTP_502:
            return web.Response(status=502, text=BAD_GATEWAY_PAGE, content_type="text/html")
        case CreateAnswer.ENVELOPE_500:
            return reply(envelope(500))
        case CreateAnswer.TRUNCATED:
            text = compact(created)
            half = text[: len(text) // 2].encode()
            return web.Response(body=half, content_type="application/json")
