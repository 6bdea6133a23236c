"""A cursor outlives the process: a loop goes on behind the last event that was dealt with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from client_store import Service, refuse
from contracts.refusals import RefusalName
from sendonce import FileCursor, InvalidRequest, JobEvent, SendOnce, feed


class Remembered:
    """A cursor that tells what was done with it."""

    def __init__(self, seq: int | None = None) -> None:
        self.saved: list[int] = [] if seq is None else [seq]

    async def load(self) -> int | None:
        return self.saved[-1] if self.saved else None

    async def save(self, seq: int) -> None:
        self.saved.append(seq)


async def test_an_event_is_saved_when_the_loop_comes_back_for_the_next(
    sendonce: SendOnce, service: Service
) -> None:
    service.store.happen(3)
    cursor = Remembered()

    seen: list[int | None] = []
    async for event in sendonce.events(cursor=cursor):
        assert cursor.saved == seen, "saved before it was dealt with"
        seen.append(event.seq)
        if event.seq == 3:
            break

    assert cursor.saved == [1, 2]


async def test_a_loop_begins_behind_its_cursor(sendonce: SendOnce, service: Service) -> None:
    service.store.happen(3)

    assert (await first(sendonce.events(cursor=Remembered(2)))).seq == 3


async def test_an_event_whose_handler_raised_comes_again(
    sendonce: SendOnce, service: Service
) -> None:
    service.store.happen(2)
    cursor = Remembered()

    async def deal() -> None:
        async for event in sendonce.events(cursor=cursor):
            if event.seq == 2:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await deal()
    again = await first(sendonce.events(cursor=cursor))

    assert again.seq == 2


async def test_a_cursor_and_a_place_to_begin_contradict_each_other(sendonce: SendOnce) -> None:
    with pytest.raises(InvalidRequest, match="not both"):
        await first(sendonce.events(after=3, cursor=Remembered(2)))


async def test_a_file_keeps_the_number_saved_last(tmp_path: Path) -> None:
    path = tmp_path / "cursor"

    assert await FileCursor(path).load() is None
    for seq in (7, 8):
        await FileCursor(path).save(seq)

    assert await FileCursor(str(path)).load() == 8
    assert [found.name for found in tmp_path.iterdir()] == ["cursor"]


async def test_a_crash_in_the_middle_of_a_save_leaves_the_number_before_it(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    await FileCursor(path).save(7)
    (tmp_path / "cursor.new").write_text("", encoding="ascii")

    assert await FileCursor(path).load() == 7


async def test_a_file_that_holds_no_number_is_an_error_and_no_beginning(tmp_path: Path) -> None:
    path = tmp_path / "cursor"
    path.write_text("important notes", encoding="ascii")

    with pytest.raises(ValueError, match="holds no cursor"):
        await FileCursor(path).load()


async def test_a_page_that_came_too_late_is_asked_for_again(
    sendonce: SendOnce, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "POLL", 0.1)
    service.store.happen(1)
    service.store.scripts.append(refuse(RefusalName.DEADLINE_PASSED))

    assert (await first(sendonce.events())).seq == 1


async def first(events: AsyncIterator[JobEvent]) -> JobEvent:
    return await anext(events)
