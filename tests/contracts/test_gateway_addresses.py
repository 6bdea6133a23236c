"""The document's other half: the health checks, and that no address is missing."""

import httpx
import pytest
from document_paths import at, names
from gateway_bodies import BODIES
from starlette.routing import Route

from callback_gateway import http
from chassis.health import LoopTick, health_app


def routes(app_routes: object) -> set[tuple[str, str]]:
    assert isinstance(app_routes, list)
    found = [route for route in app_routes if isinstance(route, Route)]
    return {
        (one.path, method.lower())
        for one in found
        for method in one.methods or ()
        if method != "HEAD"
    }


def test_the_document_has_exactly_the_addresses_of_the_two_applications() -> None:
    public = {(path, "post") for path in http.ADDRESSES}
    health = health_app(LoopTick(), {})
    shown = {
        (path, method)
        for path in names("paths")
        for method in names("paths", path)
        if method in ("get", "post")
    }

    assert shown == public | routes(health.routes)


async def refuse() -> None:
    raise ConnectionError


@pytest.mark.parametrize("well", [True, False])
@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_a_health_check_answers_as_documented(path: str, well: bool) -> None:  # noqa: FBT001 - a parameter of the test
    tick = LoopTick()
    if not well:
        tick._at -= 3_600
    app = health_app(tick, {} if well else {"reports": refuse})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gateway"
    ) as client:
        answer = await client.get(path)

    media = answer.headers["content-type"]
    content = ("paths", path, "get", "responses", str(answer.status_code), "content", media)
    shown = at(*content, "schema", "$ref")
    (model,) = [one for one in BODIES if str(shown).endswith(f"/{one.__name__}")]
    assert answer.status_code == (200 if well else 503)
    assert model.model_validate_json(answer.content).model_dump(mode="json") == answer.json()
    assert names("paths", path, "get", "responses") == ["200", "503"]


async def test_metrics_come_as_documented() -> None:
    app = health_app(LoopTick(), {})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gateway"
    ) as client:
        answer = await client.get("/metrics")

    assert names("paths", "/metrics", "get", "responses") == [str(answer.status_code)]
    assert answer.headers["content-type"] in names(
        "paths", "/metrics", "get", "responses", "200", "content"
    )
