"""What every /sim endpoint reads and answers alike."""

import json
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

Shape = TypeVar("Shape", bound=BaseModel)


async def read(request: web.Request, shape: type[Shape]) -> Shape:
    """Read an order, or say what is wrong with it."""
    try:
        return shape.model_validate_json(await request.read() or b"{}")
    except ValidationError as wrong:
        raise unreadable(wrong) from wrong


def number(request: web.Request, name: str) -> int | None:
    """Read a number of the query; None when absent."""
    raw = request.query.get(name)
    if raw is None:
        return None
    try:
        return int(raw)
    except ValueError as wrong:
        raise unreadable(wrong) from wrong


def unreadable(wrong: Exception) -> web.HTTPException:
    """A 400 that says why."""
    return web.HTTPBadRequest(
        text=json.dumps({"error": str(wrong)}), content_type="application/json"
    )


def missing(reason: str) -> web.HTTPException:
    """A 404 that says what."""
    return web.HTTPNotFound(text=json.dumps({"error": reason}), content_type="application/json")


def done() -> web.Response:
    """Say yes."""
    return web.json_response({"ok": True})
