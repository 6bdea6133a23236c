"""KIE's own HTTP surface: create, poll, credit, download-url and the files."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from aiohttp import web

from testkit.kie.accounts import PRICES, Account
from testkit.kie.answers import answer_created, close_unanswered, hang, reply
from testkit.kie.families import FAMILIES, Family
from testkit.kie.families.family import other_form, words_of
from testkit.kie.media import render
from testkit.kie.switches import Outage
from testkit.kie.tasks import Task
from testkit.kie.upgrades import parent_refusal, upgrade_refusal
from testkit.kie.wire import JsonObject, envelope, success
from testkit.kie.workshop import Workshop

DOWNLOAD_URL_LIFE = 20 * 60  # seconds
EARLY_CALLBACK_LIMIT = 20.0  # an answer that waits for its callback is given after this long
CREATES_ONLY = {402, 433}  # without credits nothing is made, what runs is still told of
REFUSED_AGENT = "Python-urllib"  # KIE's CDN answers it with 403

Answer = Awaitable[web.StreamResponse]
Spoken = Callable[[web.Request, Account], Answer]


class KieApi:
    """The routes of every family over one workshop."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._counts = workshop.book.counts

    def routes(self) -> list[web.RouteDef]:
        """Every address KIE serves."""
        creates = [
            web.post(family.create_path, self._guarded(partial(self._create, family)))
            for family in FAMILIES
            if family.create_path is not None
        ]
        # What is only asked for has a page of its own; the others of one page speak alike.
        asked = [family for family in FAMILIES if family.create_path is None]
        polled = {family.poll_path: family for family in FAMILIES if family.create_path is not None}
        polls = [
            web.get(path, self._guarded(partial(self._poll, path, family.unknown)))
            for path, family in polled.items()
        ]
        polls += [
            web.get(family.poll_path, self._guarded(partial(self._ask, family))) for family in asked
        ]
        return [
            *creates,
            *polls,
            web.get("/api/v1/chat/credit", self._guarded(self._credit)),
            web.post("/api/v1/common/download-url", self._guarded(self._download_url)),
            web.get("/files/{key}/{number:\\d+}.{suffix}", self._file),
        ]

    def _guarded(self, spoken: Spoken) -> Callable[[web.Request], Answer]:
        """Outage, key and account state come before anything a route has to say."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            match self._workshop.switches.outage:
                case Outage.REFUSE:
                    return close_unanswered(request)
                case Outage.HTTP_503:
                    return web.Response(status=503, text="Service Unavailable")
                case Outage.HANG:
                    return await hang(request, until=self._workshop.closing)
                case Outage.NONE:
                    return await self._answered(spoken, request)

        return guarded

    async def _answered(self, spoken: Spoken, request: web.Request) -> web.StreamResponse:
        account = self._account_of(request)
        if account is None:
            return reply(envelope(401))
        code = self._workshop.switches.account_code
        if code is None or code in CREATES_ONLY:
            return await spoken(request, account)
        return reply(envelope(code))

    def _account_of(self, request: web.Request) -> Account | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return self._workshop.accounts.get(key) if scheme == "Bearer" else None

    async def _create(
        self, family: Family, request: web.Request, account: Account
    ) -> web.StreamResponse:
        self._counts["creates"] += 1
        body = await _json_of(request)
        refusal = self._refusal(family, account, body)
        if refusal is not None:
            self._counts["creates_refused"] += 1
            return reply(refusal)
        if family.of_parent and (told := upgrade_refusal(self._workshop, family, account, body)):
            return reply(told)
        fate = self._workshop.planner.fate_of(path=request.path, request=body)
        plan = fate.plan
        if fate.rejections_left:
            self._counts["creates_refused"] += 1
            rejected = envelope(plan.reject_code, plan.reject_message)
            return reply(rejected, status=plan.reject_status)
        task = self._workshop.accept(family=family, account=account, request=body, fate=fate)
        await asyncio.sleep(plan.create_delay)
        if plan.callback_before_answer:
            await _callback_of(task)
        return await answer_created(request, task, closing=self._workshop.closing)

    def _refusal(self, family: Family, account: Account, body: JsonObject) -> JsonObject | None:
        for name in family.requires:
            if not body.get(name):
                return envelope(422, f"The {name} field is required")
        if family.requires_callback_url and not body.get(family.callback_key):
            return envelope(422, "Please enter callBackUrl.")
        code = self._workshop.switches.account_code
        if code in CREATES_ONLY:
            return envelope(code)
        if not account.creates.admits():
            self._counts["rate_limited"] += 1
            return envelope(429)
        price = PRICES[family.medium(body)]
        return envelope(402) if account.credits_left < price else None

    async def _poll(
        self, path: str, unknown: JsonObject, request: web.Request, account: Account
    ) -> web.StreamResponse:
        self._counts["polls"] += 1
        if not account.polls.admits():
            self._counts["rate_limited"] += 1
            return reply(envelope(429))
        task_id = request.query.get("taskId")
        if not task_id:
            return reply(envelope(400, "taskId parameter is required"))
        task = self._workshop.book.find(task_id)
        # An id of another family or account is as unknown as one never given out.
        if task is None or task.family.poll_path != path or task.account != account.name:
            return reply(unknown)
        task.polls += 1
        if task.polls <= task.plan.unseen_polls:
            return reply(task.family.unknown)
        if task.polls <= task.plan.unseen_polls + task.plan.poll_errors:
            return reply(envelope(task.plan.poll_error_code))
        return reply(success(task.family.record(task)))

    async def _ask(
        self, family: Family, request: web.Request, account: Account
    ) -> web.StreamResponse:
        """Make what is asked for on the first ask, tell of it on every one."""
        self._counts["polls"] += 1
        body: JsonObject = dict(request.query)
        if not body.get("taskId"):
            return reply(envelope(400, "taskId parameter is required"))
        refusal = parent_refusal(self._workshop, account, body)
        if refusal is not None:
            return reply(refusal)
        task = self._workshop.book.find(other_form(family, words_of(body, "taskId")))
        if task is None:
            fate = self._workshop.planner.fate_of(path=request.path, request=body)
            task = self._workshop.accept(family=family, account=account, request=body, fate=fate)
        task.polls += 1
        return reply(task.family.final(task))

    async def _credit(self, _request: web.Request, account: Account) -> web.StreamResponse:
        return reply(success(account.credits_left))

    async def _download_url(self, request: web.Request, _account: Account) -> web.StreamResponse:
        url = (await _json_of(request)).get("url")
        if not isinstance(url, str) or not url.startswith(f"{self._workshop.media_base}/files/"):
            return reply(envelope(422, "url is wrong"))
        fresh_until = int(time.time() + DOWNLOAD_URL_LIFE)
        return reply(success(f"{url.partition('?')[0]}?until={fresh_until}"))

    async def _file(self, request: web.Request) -> web.StreamResponse:
        self._counts["files"] += 1
        if request.headers.get("User-Agent", "").startswith(REFUSED_AGENT):
            return web.Response(status=403, text="Forbidden")
        task = self._workshop.book.find(request.match_info["key"])
        number = int(request.match_info["number"])
        if task is None or task.plan.media_gone or not 1 <= number <= task.outputs:
            return web.Response(status=404, text="Not Found")
        if task.media_expired and not _is_fresh(request):
            return web.Response(status=self._workshop.expired_status, text="Expired")
        suffix = request.match_info["suffix"]
        medium = render(task_id=task.key, number=number, suffix=suffix)
        if medium is None:
            return web.Response(status=404, text="Not Found")
        return web.Response(body=medium.body, content_type=medium.content_type)


def _is_fresh(request: web.Request) -> bool:
    """Tell whether the address was given out again and is still good."""
    until = request.query.get("until", "")
    return until.isdecimal() and time.time() < int(until)


async def _json_of(request: web.Request) -> JsonObject:
    """The request's object; an empty one for anything else, as KIE then misses its fields."""
    try:
        body: object = json.loads(await request.read())
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}


async def _callback_of(task: Task) -> None:
    try:
        async with asyncio.timeout(EARLY_CALLBACK_LIMIT):
            await task.called_back.wait()
    except TimeoutError:
        return
