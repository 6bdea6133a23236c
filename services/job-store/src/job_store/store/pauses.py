"""What an operator stops for one bot, and lets go on; what the provider or Telegram stopped is let go too."""

from collections.abc import Mapping
from typing import Final

from chassis.queries import load
from chassis.storage import Connection
from contracts.ops import Pause
from contracts.refusals import Refusal, RefusalName
from contracts.repairs import PauseView, SetPause
from job_store.domain.rows import EffectKind
from job_store.store.audit import Audited, audit, changed
from job_store.store.pacing import bot_key, creates_key
from job_store.store.unit import Transaction, Units

sql = load("job_store.store", "pauses.sql")

# What waits for one thing to go on. What waits for the sake of time, a rewrite or a removal, is never hurried.
WAITING: Final[dict[str, tuple[EffectKind, ...]]] = {
    "intake": (),
    "submissions": (EffectKind.SUBMIT,),
    "deliveries": (EffectKind.STATUS, EffectKind.SHOW, EffectKind.SEND, EffectKind.STAGE),
}


class Pauses:
    def __init__(self, units: Units) -> None:
        self._units = units

    async def set(self, ask: SetPause) -> PauseView | Refusal:
        """Stop something for a bot, or let it go on: what waited for it is due at once."""

        async def decide(tx: Transaction) -> PauseView | Refusal:
            if not ask.paused:
                await tx.connection.fetch(sql.lock_waiting, ask.bot, _kinds(ask.what))
            bot = await tx.connection.fetchrow(sql.lock_bot, ask.bot)
            if bot is None:
                return Refusal(
                    code=RefusalName.UNKNOWN_BOT,
                    message=f"no bot named {ask.bot}",
                    hint="sendonce bots list; nothing was changed",
                )
            pauses = {what: why for what, why in bot["pauses"].items() if what != ask.what}
            if ask.paused:
                pauses[ask.what] = f"{ask.who}: {ask.why}"[:2_000]
            released = 0
            if not ask.paused:
                account = bot["kie_account"]
                released = await let_go(tx.connection, ask.what, bot=ask.bot, account=account)
            await tx.connection.execute(sql.set_pauses, ask.bot, pauses)
            verb = f"{ask.what}.{'pause' if ask.paused else 'resume'}"
            await audit(tx.connection, ask, verb, [Audited(target=f"bot {ask.bot}")])
            return PauseView(bot=ask.bot, pauses=shown(pauses), released=released)

        view = await changed(self._units, ask, decide)
        self._units.wake()
        return view


def shown(pauses: Mapping[str, str]) -> tuple[Pause, ...]:
    """Return what is stopped as it is told."""
    return tuple(Pause(what=what, why=why) for what, why in sorted(pauses.items()))


async def let_go(connection: Connection, what: str, *, bot: str, account: str) -> int:
    """End what KIE or Telegram asked to wait for, and have what waited go at once; returns how much."""
    parked = {"submissions": [creates_key(account)], "deliveries": [bot_key(bot)]}
    await connection.execute(sql.unpark, parked.get(what, []))
    if what == "deliveries":
        await connection.execute(sql.leave_queues, [f"chat:{bot}:%", f"group:{bot}:%"])
    return len(await connection.fetch(sql.release, bot, _kinds(what)))


def _kinds(what: str) -> list[str]:
    return [str(kind) for kind in WAITING[what]]
