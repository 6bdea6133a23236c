"""The monitoring overlay: Prometheus sees everybody and knows every rule, and Alertmanager is told of who is away."""

from http import HTTPStatus
from time import monotonic
from typing import Any, Final

import aiohttp

from deployment import eventually
from observability.shipped import alerts, dashboard, dashboard_queries, panels
from stack.engine import SERVICES, Stack, build_standin, done
from stack.load import Broken, Figures
from testkit.ports import LOOPBACK

# Their packages in Debian, for an engine that cannot have the public images; Grafana is not there.
STANDINS: Final = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
SEEN_WITHIN: Final = 90.0  # seconds; all are asked every ten
FIRES_WITHIN: Final = 180.0  # seconds; a service is away for a minute before anybody is told
AWAY: Final = "deliverer"
USER: Final = "admin"


async def is_watched(stack: Stack) -> Figures:
    """Prometheus asks every service and has every rule; Alertmanager hears of one that is away, and of its return."""
    watched = stack.watched()
    monitors = ["prometheus", "alertmanager"]
    if stack.standins:
        for name, package in STANDINS.items():
            await build_standin(await watched.named(name), package)
    else:
        monitors.append("grafana")
    await watched.compose("up", "--detach", *SERVICES, *monitors)
    await watched.ready(*SERVICES)
    async with (
        aiohttp.ClientSession(f"http://{LOOPBACK}:{stack.prometheus}") as prometheus,
        aiohttp.ClientSession(f"http://{LOOPBACK}:{stack.alertmanager}") as alertmanager,
    ):
        await _sees_everybody(prometheus)
        figures: Figures = {
            "services": len(SERVICES),
            "alerts": await _knows_every_alert(prometheus),
            "queries": await _answers_every_query(prometheus),
            "told_seconds": await _tells(watched, alertmanager),
        }
    if "grafana" in monitors:
        figures["panels"] = await _shows_the_dashboard(watched)
    return figures


async def _sees_everybody(prometheus: aiohttp.ClientSession) -> None:
    async def all_up() -> bool:
        try:
            found = (await _asked(prometheus, "/api/v1/targets?state=active"))["activeTargets"]
        except aiohttp.ClientError:  # it has not started yet
            return False
        up = {one["labels"]["service"] for one in found if one["health"] == "up"}
        return up == set(SERVICES)

    await eventually(all_up, within=SEEN_WITHIN)


async def _knows_every_alert(prometheus: aiohttp.ClientSession) -> int:
    wanted = {alert.name for alert in alerts()}

    async def evaluated() -> bool:
        groups = (await _asked(prometheus, "/api/v1/rules?type=alert"))["groups"]
        return wanted == {
            r["name"] for group in groups for r in group["rules"] if r["health"] == "ok"
        }

    await eventually(evaluated, within=SEEN_WITHIN)
    return len(wanted)


async def _answers_every_query(prometheus: aiohttp.ClientSession) -> int:
    queries = dashboard_queries()
    for query in queries:
        await _asked(prometheus, "/api/v1/query", {"query": query})
    return len(queries)


async def _tells(stack: Stack, alertmanager: aiohttp.ClientSession) -> float:
    """Stop a service until Alertmanager has been told, and start it until it was told of that."""
    containers = await stack.containers(AWAY)

    async def heard() -> bool:
        async with alertmanager.get("/api/v2/alerts") as answer:
            labels = [one["labels"] for one in await answer.json()]
        return any(one["alertname"] == "ServiceDown" and one["service"] == AWAY for one in labels)

    async def over() -> bool:
        return not await heard()

    began = monotonic()
    await done("docker", "stop", *containers)
    await eventually(heard, within=FIRES_WITHIN)
    took = round(monotonic() - began, 1)
    await done("docker", "start", *containers)
    await stack.ready(AWAY)
    await eventually(over, within=FIRES_WITHIN)
    return took


async def _shows_the_dashboard(stack: Stack) -> int:
    """Ask Grafana for the dashboard as its administrator; returns how many panels it has."""
    signed_in = aiohttp.BasicAuth(USER, (await stack.secret("grafana/password")).strip())
    async with aiohttp.ClientSession(f"http://{LOOPBACK}:{stack.grafana}", auth=signed_in) as http:

        async def shown() -> dict[str, Any] | None:
            async with http.get(f"/api/dashboards/uid/{dashboard()['uid']}") as answer:
                found: dict[str, Any] = await answer.json()
                return found if answer.status == HTTPStatus.OK else None

        found = await eventually(shown, within=SEEN_WITHIN)
    count = sum(panel["type"] != "row" for panel in found["dashboard"]["panels"])
    if count != len(panels()):
        raise Broken(f"Grafana shows {count} panels of {len(panels())}")
    return count


async def _asked(
    prometheus: aiohttp.ClientSession, path: str, params: dict[str, str] | None = None
) -> dict[str, Any]:
    async with prometheus.get(path, params=params) as answer:
        told = await answer.json()
    if told["status"] != "success":
        raise Broken(f"Prometheus refuses {path} {params}: {told['error']}")
    data: dict[str, Any] = told["data"]
    return data
