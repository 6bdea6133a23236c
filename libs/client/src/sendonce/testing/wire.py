"""Requests answered from memory, as bytes, so that everything above is the code that runs in production."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from pydantic import ValidationError

from contracts.api import (
    AttachTask,
    ByTask,
    Changes,
    ChatReturned,
    CreateJob,
    DeliverJob,
    ExpectJob,
    OneJob,
    Page,
    Request,
    TopUp,
    WalletRef,
)
from contracts.message import Value
from contracts.refusals import ErrorReply, Refusal, RefusalName
from sendonce.errors import NotConnected
from sendonce.testing.book import Book
from sendonce.wire import NoAnswer

R = TypeVar("R", bound=Request)
Answer = Callable[[bytes], Value]


class MemoryWire:
    """A `Wire` that ends in a `Book`."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._flags: set[asyncio.Event] = set()
        self._is_open = False
        self._closed = False
        self._verbs = verbs_of(book)
        self.is_away = False
        self.replies_to_lose = 0
        book.on_news = self.wake

    @property
    def closed(self) -> bool:
        """True after `close`, until it is opened again."""
        return self._closed

    async def open(self, *, within: float) -> None:  # noqa: ARG002 - memory is there at once
        """Begin to answer."""
        self._is_open, self._closed = True, False

    async def close(self) -> None:
        """Answer no more; what the book holds stays."""
        self._is_open, self._closed = False, True
        self.wake()

    async def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:  # noqa: ARG002
        """Answer from the book, or play the network the test asked for."""
        if not self._is_open:
            raise NotConnected("not connected: use `async with`, or await connect() first")
        if self.is_away:
            raise NoAnswer("nobody serves this bot's requests now", sent=False)
        _, _, verb = subject.split(".", 2)
        reply = self._answer(verb, payload)
        if self.replies_to_lose:
            self.replies_to_lose -= 1
            raise NoAnswer("no reply", sent=True)
        return reply.model_dump_json(exclude_none=True).encode()

    def _answer(self, verb: str, payload: bytes) -> Value:
        try:
            answer = self._verbs[verb](payload)
        except ValidationError as invalid:
            answer = Refusal(code=RefusalName.INVALID_REQUEST, message=str(invalid)[:1_500])
        return ErrorReply(error=answer) if isinstance(answer, Refusal) else answer

    @contextlib.contextmanager
    def news(self) -> Iterator[asyncio.Event]:
        """A flag raised with every event."""
        flag = asyncio.Event()
        self._flags.add(flag)
        try:
            yield flag
        finally:
            self._flags.discard(flag)

    @contextlib.contextmanager
    def returns(self) -> Iterator[asyncio.Event]:
        """A flag raised when an absence is over."""
        with self.news() as flag:
            yield flag

    def wake(self) -> None:
        """Raise every flag."""
        for flag in self._flags:
            flag.set()


def verbs_of(book: Book) -> dict[str, Answer]:
    """Return who answers which verb."""

    def verb(kind: type[R], answer: Callable[[R], Value]) -> Answer:
        return lambda payload: answer(kind.model_validate_json(payload))

    purse = book.purse
    return {
        "jobs.create": verb(CreateJob, book.create),
        "jobs.expect": verb(ExpectJob, book.create),
        "jobs.deliver": verb(DeliverJob, book.create),
        "jobs.attach": verb(AttachTask, book.attach),
        "jobs.get": verb(OneJob, book.get),
        "jobs.find_by_task_id": verb(ByTask, book.find_by_task_id),
        "jobs.undelivered": verb(Page, book.undelivered),
        "jobs.cancel": verb(OneJob, book.cancel),
        "jobs.returned": verb(ChatReturned, book.returned),
        "wallets.get": verb(WalletRef, purse.wallet),
        "wallets.topup": verb(TopUp, purse.topup),
        "wallets.statement": verb(WalletRef, purse.statement),
        "changes": verb(Changes, book.changes),
    }
