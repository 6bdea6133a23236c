"""SendOnceDouble: a `SendOnce` without servers, whose jobs end when the test says so."""

from uuid import UUID

from contracts.api import JobView
from contracts.events import JobEvent
from contracts.reports import ReportedMedia
from contracts.values import FailureClass, MediaKind
from sendonce.client import SendOnce
from sendonce.errors import InvalidRequest
from sendonce.testing.book import Book
from sendonce.testing.entry import Entry
from sendonce.testing.wire import MemoryWire

DEADLINE = 0.2  # s; in memory an answer that is not there at once never comes
PUBLIC_URL = "https://sendonce.example"


class SendOnceDouble(SendOnce):
    """A `SendOnce` in memory: every method of the real one, and a hand on what becomes of the jobs.

    Give it to the code that takes a `SendOnce`; it is one::

        async with SendOnceDouble() as sendonce:
            await sendonce.topup(5, currency="RUB", amount=50_00, reference="gift")
            await press_buy(sendonce)

            (job,) = sendonce.jobs
            sendonce.succeed(job)

            assert (await sendonce.wallet(5, "RUB")).balance == 30_10

    Nothing happens by itself: a job waits in ``created`` until `start`, `succeed`, `fail` or another
    verb of the test moves it. No text is shown to anybody; `job.parts` says what would stand where.
    """

    def __init__(
        self,
        bot: str = "default",
        *,
        deadline: float = DEADLINE,
        public_url: str | None = PUBLIC_URL,
    ) -> None:
        """Begin empty.

        Args:
            bot: the bot's name.
            deadline: seconds methods keep asking while `away`.
            public_url: what callback URLs begin with; None is a server without one.
        """
        self._book = Book(bot=bot, public_url=public_url)
        self._memory = MemoryWire(self._book)
        self._speak(self._memory, bot=bot, deadline=deadline)

    @property
    def jobs(self) -> tuple[JobView, ...]:
        """Every job, the oldest first."""
        return tuple(entry.view for entry in self._book.entries)

    @property
    def history(self) -> tuple[JobEvent, ...]:
        """Every event so far, as `events` yields them."""
        return tuple(self._book.events)

    # -- what KIE does ------------------------------------------------------

    def start(self, job: JobView | UUID) -> JobView:
        """KIE took the task: the job runs and can no longer be cancelled."""
        return self._book.start(self._entry(job))

    def succeed(self, job: JobView | UUID, *media: ReportedMedia) -> JobView:
        """KIE is done: the price is captured and the result shown; one picture unless `media` is given."""
        entry = self._entry(job)
        picture = ReportedMedia(
            kind=MediaKind.IMAGE, url=f"https://files.example/{entry.view.label}.png"
        )
        return self._book.succeed(entry, media or (picture,))

    def fail(
        self,
        job: JobView | UUID,
        failure: FailureClass = FailureClass.PROVIDER_ERROR,
        *,
        error: str = "internal error",
    ) -> JobView:
        """KIE gave up: the hold is released."""
        return self._book.fail(self._entry(job), failure, error)

    def pause(self) -> None:
        """The owner's KIE account takes no work: `create` is refused with `Paused`."""
        self._book.is_paused = True

    def resume(self) -> None:
        """The account works again."""
        self._book.is_paused = False

    def limit(self, *, open_jobs: int | None) -> None:
        """A user may have so many jobs open at once: one more is refused with `TooManyJobs`. None: any number."""
        self._book.open_jobs = open_jobs

    # -- what time and Telegram do ------------------------------------------

    def expire(self, job: JobView | UUID) -> JobView:
        """No result came in time: the hold is released. A later `succeed` is shown free of charge."""
        return self._book.expire(self._entry(job))

    def fail_to_show(self, job: JobView | UUID) -> JobView:
        """KIE is done, but its result cannot be shown through our fault: the price is refunded."""
        return self._book.fail_to_show(self._entry(job))

    def block(self, chat_id: int) -> None:
        """The user blocks the bot: results stay ``succeeded`` and undelivered."""
        self._book.blocked.add(chat_id)

    def unblock(self, chat_id: int) -> None:
        """The user is back; the bot still has to say so with `returned`."""
        self._book.blocked.discard(chat_id)

    # -- what the network does ----------------------------------------------

    def leave(self) -> None:
        """Sendonce is away: methods raise `Unavailable` after their deadline."""
        self._memory.is_away = True

    def come_back(self) -> None:
        """Sendonce answers again."""
        self._memory.is_away = False
        self._memory.wake()

    def lose_replies(self, count: int = 1) -> None:
        """The next requests do their work and their replies are lost; the SDK asks again by itself."""
        self._memory.replies_to_lose = count

    def _entry(self, job: JobView | UUID) -> Entry:
        job_id = job if isinstance(job, UUID) else job.id
        entry = self._book.by_id(job_id)
        if entry is None:
            raise InvalidRequest(f"this double has no job {job_id}")
        return entry
