"""A question is asked until it is answered readably, its time is over, or we are told to stop."""

import asyncio
from collections.abc import AsyncIterator

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from chassis.asking import Asking
from chassis.clock import SYSTEM

SUBJECT = "effects.ask"


@pytest.fixture
async def client(nats_url: str) -> AsyncIterator[Client]:
    connection = await nats.connect(nats_url)
    yield connection
    await connection.close()


async def answering(client: Client, *answers: bytes | None) -> list[bytes]:
    """Answer in this order, the last for ever; returns what is asked."""
    asked: list[bytes] = []

    async def answer(msg: Msg) -> None:
        asked.append(msg.data)
        reply = answers[min(len(asked), len(answers)) - 1]
        if reply is not None:
            await msg.respond(reply)

    await client.subscribe(SUBJECT, cb=answer)
    return asked


def read(raw: bytes) -> int:
    return int(raw)


def until(seconds: float) -> "Left":
    return Left(SYSTEM.monotonic() + seconds)


class Left:
    def __init__(self, end: float) -> None:
        self._end = end

    def __call__(self) -> float:
        return self._end - SYSTEM.monotonic()


async def test_what_is_lost_or_unreadable_is_asked_again_in_the_same_words(client: Client) -> None:
    asked = await answering(client, None, b"an error", b"7")

    answered = await Asking(client, SYSTEM).until_answered(
        SUBJECT, b"may I", read=read, left=until(10), one_try=0.2
    )

    assert answered is not None
    assert answered.answer == 7
    assert asked == [b"may I"] * 3


async def test_the_answer_counts_from_its_own_question(client: Client) -> None:
    await answering(client, None, b"7")
    begun = SYSTEM.monotonic()

    answered = await Asking(client, SYSTEM).until_answered(
        SUBJECT, b"may I", read=read, left=until(10), one_try=0.2
    )

    assert answered is not None
    assert answered.asked_at >= begun + 0.2


async def test_with_nobody_there_the_time_runs_out(client: Client) -> None:
    answered = await Asking(client, SYSTEM).until_answered(
        SUBJECT, b"may I", read=read, left=until(0.3), one_try=0.2
    )

    assert answered is None


async def test_a_cancellation_that_comes_with_the_answer_is_not_lost(client: Client) -> None:
    async def answer(msg: Msg) -> None:
        await msg.respond(b"7")
        asking.cancel()

    async def ask_for_ever() -> None:
        while True:
            await Asking(client, SYSTEM).until_answered(
                SUBJECT, b"may I", read=read, left=until(10), one_try=0.2
            )

    await client.subscribe(SUBJECT, cb=answer)
    asking = asyncio.create_task(ask_for_ever())

    done, _ = await asyncio.wait({asking}, timeout=5)

    assert done
    assert asking.cancelled()
