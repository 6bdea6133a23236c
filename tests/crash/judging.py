"""What must have become of a job a service died beneath: the judge is that of every other run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contracts.api import JobView, WalletView
from contracts.values import JobState, MoneyState
from crash.bot import CURRENCY, Bot
from crash.lives import Life
from testkit import proof
from testkit.telegram import FakeTelegram, LogEntry, ShownMessage


@dataclass(frozen=True, slots=True)
class _Users:
    """What users see: nobody looks into the groups where bots put results aside."""

    telegram: FakeTelegram

    def ever_shown(self, content: str) -> list[tuple[int, int, int]]:
        return [key for key in self.telegram.ever_shown(content) if key[1] > 0]

    def shown(self, content: str) -> list[tuple[int, ShownMessage]]:
        return [(chat, message) for chat, message in self.telegram.shown(content) if chat > 0]

    def log(self) -> Sequence[LogEntry]:
        return [entry for entry in self.telegram.log() if entry.chat_id > 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A job after the dust has settled, and what the outside saw of it."""

    life: Life
    job: JobView
    ending: proof.Ending
    wallet: WalletView
    paid: int
    words: tuple[int, ...]  # in how many messages each has ever stood

    @property
    def uncertain(self) -> int:
        """Results that are shown to an operator as uncertain."""
        return self.ending.uncertain

    @property
    def is_expired(self) -> bool:
        """Claim that nobody could know of its task, and the money went back."""
        return self.ending.is_expired

    def broken(self) -> Iterator[str]:
        """Say what must not be; nothing when every promise was kept."""
        ending, tasks = self.ending, len(self.ending.generations)
        if tasks > 1:
            yield f"{tasks} tasks at KIE"
        if ending.is_doubled and not self.life.copies:
            yield "shown twice"
        if self.life.copies and self.job.state is JobState.DELIVERED:
            yield from self._copied()
        # Of words that KIE had no part in the chat alone can tell.
        is_said = not tasks and bool(self.words) and all(self.words)
        if ending.is_lost and not (self.life.shows_nothing or is_said):
            yield f"lost: {self.job.state}, {tasks} tasks at KIE"
        if any(count > 1 for count in self.words):
            yield f"said {self.words} times"
        yield from self._money()
        if not (self.is_expired or (self.life.may_be_uncertain and self.uncertain)):
            yield from self._otherwise()

    def _copied(self) -> Iterator[str]:
        seen = [result.ever for made in self.ending.generations for result in made.results]
        if set(seen) != {1 + self.life.copies}:
            yield f"one result and {self.life.copies} copies were shown {seen} times"

    def _money(self) -> Iterator[str]:
        if self.life.is_refunded and self.job.state is JobState.DELIVERED:
            if self.job.money is not MoneyState.REFUNDED or self.wallet.balance != self.paid:
                yield f"refunded, but {self.job.money}, {self.wallet.balance} of {self.paid}"
            return
        payer = proof.Wallet(self.job.user_id, CURRENCY)
        yield from proof.money_troubles(
            [self.ending], paid={payer: self.paid}, wallets={payer: self.wallet}
        )

    def _otherwise(self) -> Iterator[str]:
        if self.job.state not in (self.life.ends, self.life.or_ends):
            yield f"ended {self.job.state} instead of {self.life.ends}"
        is_elsewhere = self.words or self.life.copies
        if self.job.state is JobState.DELIVERED and not (is_elsewhere or self.ending.is_shown_once):
            yield "not every result stands in its chat"
        if 0 in self.words:
            yield "words are missing"


async def judged(life: Life, bot: Bot, job: JobView) -> Ended:
    """Look once more at the job, its money, its tasks and its chat."""
    await bot.telegram.settle()
    tasks = [task for task in bot.kie.tasks() if bot.key in str(task.request)]
    (ending,) = proof.endings(
        [bot], jobs={bot.key: job}, tasks=tasks, telegram=_Users(bot.telegram)
    )
    return Ended(
        life=life,
        job=job,
        ending=ending,
        wallet=await bot.wallet(),
        paid=bot.paid,
        words=tuple(map(bot.telegram.ever_shown_count, life.words(job))),
    )
