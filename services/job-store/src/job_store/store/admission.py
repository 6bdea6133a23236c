"""Who may make a job now: what an operator or KIE stopped, how much is asked for, what the wallet holds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.api import CreateJob, DeliverJob, JobRequest
from contracts.refusals import LimitHit, Refusal, RefusalName
from job_store.domain import delivery
from job_store.domain.intake import Intake, Knock, TooMany
from job_store.domain.rows import Bot
from job_store.domain.rules import Rules
from job_store.store.intake import open_intake, save_intake
from job_store.store.ledger import sql as ledger_sql
from job_store.store.pacing import creates_key
from job_store.store.pacing import sql as pacing_sql
from job_store.store.unit import Transaction

Ask = tuple[str, JobRequest]
"""A bot's slug, and what it asks."""

WORDS: Final = {
    "jobs_per_minute": "{whose} asks for more than {allowed} jobs a minute",
    "open_jobs": "{whose} has as many open jobs as the limit of {allowed} allows",
    "open_holds": "{whose} has as many paid jobs open as the limit of {allowed} allows",
}


def currency_of(request: JobRequest, bot: Bot) -> str:
    """Name the currency a job is paid in: the one it says, else its bot's."""
    return request.currency or bot.currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """All that a batch of requests is measured by, locked; each that is let in counts for the next."""

    bots: dict[str, Bot]
    paused: dict[str, str]
    balances: dict[tuple[str, int, str], int]
    intake: Intake
    rules: Rules

    @classmethod
    async def open(cls, tx: Transaction, asks: Sequence[Ask], now: datetime) -> "Admission":
        """Lock what others must not change meanwhile: intake first, then wallets, each in key order."""
        bots = await tx.bots({slug for slug, _ in asks})
        paused = await _paused(tx, bots)
        known = [(slug, ask) for slug, ask in asks if slug in bots]
        intake = await open_intake(tx, [(s, a.user_id) for s, a in known if _is_work(a)], now)
        balances = await _lock_wallets(
            tx, {_wallet(bots[slug], ask) for slug, ask in known if ask.price > 0}
        )
        return cls(bots=bots, paused=paused, balances=balances, intake=intake, rules=tx.rules)

    async def close(self, tx: Transaction) -> None:
        """Write down who was let in."""
        await save_intake(tx, self.intake)

    def admit(self, slug: str, request: JobRequest) -> Bot | Refusal:
        """Let a request in and count it, or say why not: then it changes nothing."""
        bot = self.bots.get(slug)
        if bot is None:
            return Refusal(
                code=RefusalName.UNKNOWN_BOT,
                message=f"no bot named {slug}",
                hint="sendonce bots add",
            )
        if isinstance(request, DeliverJob) and not delivery.showable(request.media):
            return Refusal(
                code=RefusalName.INVALID_REQUEST,
                message="media: neither a link nor a text to show",
                hint="give each medium its url or text; nothing was changed",
            )
        refusal = (
            _stopped(request, bot, self.paused)
            or self._too_poor(request, bot)
            or self._too_many(request, bot)
        )
        if refusal is not None:
            return refusal
        if request.price > 0:
            self.balances[_wallet(bot, request)] -= request.price
        return bot

    def _too_poor(self, request: JobRequest, bot: Bot) -> Refusal | None:
        wallet = _wallet(bot, request)
        balance = self.balances.get(wallet, 0)
        if balance >= request.price:
            return None
        return Refusal(
            code=RefusalName.INSUFFICIENT_FUNDS,
            message=f"the balance is {balance} and the price {request.price} {wallet[-1]} (minor units)",
            hint="top the wallet up; nothing was held",
        )

    def _too_many(self, request: JobRequest, bot: Bot) -> Refusal | None:
        if not _is_work(request):
            return None
        hit = self.intake.refuse(
            Knock(
                bot=bot.slug,
                user_id=request.user_id,
                holds=request.price > 0,
                takes=_takes(request, self.rules),
            )
        )
        return None if hit is None else _limited(hit, request.user_id)


def _is_work(request: JobRequest) -> bool:
    """Claim that it asks for a task; a result that exists already is never refused for being one too many."""
    return not isinstance(request, DeliverJob)


def _takes(request: JobRequest, rules: Rules) -> timedelta | None:
    words = (getattr(request, name, "") for name in ("family", "operation", "model"))
    return rules.usual(*words).expected


def _limited(hit: TooMany, user_id: int) -> Refusal:
    """Say it as a pause that ends by itself: a client that knows no limits knows what to do about one."""
    seconds = math.ceil(hit.wait.total_seconds())
    whose = f"user {user_id}" if hit.whose == "user" else "the bot"
    return Refusal(
        code=RefusalName.PAUSED,
        message=WORDS[hit.what].format(whose=whose, allowed=hit.allowed),
        hint=f"ask again with the same key in {seconds} s; no job was made, nothing was held",
        retryable=True,
        limit=LimitHit(whose=hit.whose, what=hit.what, allowed=hit.allowed),
        retry_after=seconds,
    )


def _stopped(request: JobRequest, bot: Bot, paused: dict[str, str]) -> Refusal | None:
    """Refuse what an operator stopped, or what the KIE account does not take."""
    if "intake" in bot.pauses:
        return Refusal(
            code=RefusalName.PAUSED,
            message="an operator has paused new jobs of this bot",
            hint="ask again later with the same key; nothing was charged",
            retryable=True,
        )
    reason = paused.get(creates_key(bot.kie_account))
    if reason is not None and isinstance(request, CreateJob):
        return Refusal(
            code=RefusalName.PAUSED,
            message="submissions of this KIE account are paused",
            hint="the owner must see to the KIE key or its credits; nothing was charged",
            retryable=True,
        )
    return None


def _wallet(bot: Bot, request: JobRequest) -> tuple[str, int, str]:
    """Name the wallet that pays."""
    return (bot.slug, request.user_id, currency_of(request, bot))


async def _paused(tx: Transaction, bots: dict[str, Bot]) -> dict[str, str]:
    keys = [creates_key(bot.kie_account) for bot in bots.values()]
    rows = await tx.connection.fetch(pacing_sql.paused_accounts, keys)
    return {row["key"]: row["needs_owner"] for row in rows}


async def _lock_wallets(
    tx: Transaction, wallets: set[tuple[str, int, str]]
) -> dict[tuple[str, int, str], int]:
    """Lock the wallets of all priced requests, in key order: one balance never pays twice."""
    if not wallets:
        return {}
    rows = await tx.connection.fetch(
        ledger_sql.lock_wallets,
        [{"bot": bot, "user_id": user, "currency": code} for bot, user, code in sorted(wallets)],
    )
    return {(row["bot"], row["user_id"], row["currency"]): row["balance"] for row in rows}
