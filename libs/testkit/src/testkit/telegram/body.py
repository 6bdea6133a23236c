"""Request bodies as Bot API clients send them: query, form, JSON, multipart; bounded in memory."""

import asyncio
import json
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, hdrs, web

from testkit.telegram.wire import ApiError, Params, Upload, bad_request

BODY_BYTES = 55 << 20
PARALLEL_UPLOADS = 8  # times BODY_BYTES bounds the memory of bodies being read
FIELD_BYTES = 1 << 20


class BodyReader:
    """Reads the parameters of one request."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(PARALLEL_UPLOADS)

    async def read(self, request: web.Request) -> Params:
        """Read query and body; nested values stay JSON text."""
        values = dict(request.query) if request.query_string else {}
        if not request.can_read_body:
            return Params(values)
        try:
            return await self._read_body(request, values)
        except web.HTTPRequestEntityTooLarge as refused:
            raise _too_large() from refused

    async def _read_body(self, request: web.Request, values: dict[str, str]) -> Params:
        match request.content_type:
            case "application/json":
                values.update(_flat(await request.text()))
            case "multipart/form-data":
                async with self._slots:
                    return await _multipart(await request.multipart(), values)
            case _:
                # The body every method without files has; request.post() takes twice as long.
                form = (await request.read()).decode(errors="replace")
                values.update(parse_qsl(form, keep_blank_values=True))
        return Params(values)


def _flat(body: str) -> dict[str, str]:
    try:
        parsed = json.loads(body)
    except ValueError as broken:
        raise bad_request("can't parse JSON object") from broken
    if not isinstance(parsed, dict):
        raise bad_request("can't parse JSON object")
    return {
        str(name): value if isinstance(value, str) else json.dumps(value)
        for name, value in parsed.items()
        if value is not None
    }


async def _multipart(reader: MultipartReader, values: dict[str, str]) -> Params:
    uploads: dict[str, Upload] = {}
    budget = BODY_BYTES
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise bad_request("can't parse multipart body")
        is_file = part.filename is not None
        content = await _part(part, min(budget, BODY_BYTES if is_file else FIELD_BYTES))
        budget -= len(content)
        if is_file:
            uploads[part.name] = Upload(
                name=part.filename or "file",
                content=content,
                content_type=part.headers.get(hdrs.CONTENT_TYPE, ""),
            )
        else:
            values[part.name] = content.decode(errors="replace")
    return Params(values, uploads)


async def _part(part: BodyPartReader, limit: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(1 << 16):
        content += chunk
        if len(content) > limit:
            raise _too_large()
    return bytes(content)


def _too_large() -> ApiError:
    return ApiError(413, "Request Entity Too Large")
