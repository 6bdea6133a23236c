"""Every row of telegram.md sections 2.3, 5.3, 6.2, 7.2 and 7.3: what an edit and a send make of it."""

from uuid import uuid4

import pytest
from aiogram.exceptions import (
    AiogramError,
    ClientDecodeError,
    RestartingTelegram,
    TelegramNetworkError,
)
from aiogram.methods import GetMe
from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientOSError,
    ClientPayloadError,
    ConnectionTimeoutError,
    ServerDisconnectedError,
)
from aiohttp.client_reqrep import ConnectionKey

from contracts.deliveries import Content, SendPart
from contracts.markup import Button, Entity
from contracts.outcomes import Refused
from deliverer.domain import edits, sends
from deliverer.domain.answers import Call
from deliverer.domain.bodies import Way
from deliverer.domain.edits import Again, EditState
from deliverer.domain.faults import Broken, Undecodable, judge
from deliverer.domain.posts import Place
from deliverer.domain.sends import SendAgain
from deliverer.domain.ways import first_way
from deliverer.telegram.failures import fault_of
from deliverer.telegram.session import Witness
from telegram_answers import SECTION_7_2, SECTION_7_3
from telegram_rows import Row
from telegram_tables import SECTION_2_3, SECTION_5_3, SECTION_6_2

URL = "https://cdn.example/a.png"


def content_of(row: Row) -> Content:
    return Content(
        kind=row.kind,
        url=URL,
        file_id=row.file_id,
        text="a cat",
        entities=(Entity(type="bold", offset=0, length=1),),
        buttons=((Button(text="Again", data="again"),),),
    )


def ended(result: object) -> str:
    if isinstance(result, Refused):
        return f"refused {result.code}"
    return str(getattr(result, "kind", result))


def edit_verdict(row: Row) -> str:
    """Follow an edit while it is only repeated; name the way it goes on, or its end."""
    content = content_of(row)
    way = first_way(content, skip_link=False)
    assert way is not None
    state = EditState(message_id=7, content=content, way=way, attempt_no=1)
    answer = judge(row.fault, call=Call.EDIT, elapsed=row.elapsed)
    step = edits.on_answer(state, answer)
    if isinstance(step, Again):
        if step.state.way is not way:
            return f"try {step.state.way}"
        if row.edit == "again":
            return "again"
    while isinstance(step, Again):
        step = edits.on_answer(step.state, answer)
    return ended(step.result)


def send_verdict(row: Row) -> str:
    """Follow a send while it is only repeated; name the way it goes on, or its end."""
    parts = tuple(SendPart(part_id=uuid4(), content=content_of(row)) for _ in range(row.parts))
    step = sends.begin(Place(chat_id=1, thread_id=5, reply_to=3), parts, attempt_no=1)
    assert isinstance(step, SendAgain)
    ways = [piece.way for piece in step.state.pieces]
    answer = judge(row.fault, call=Call.SEND, elapsed=row.elapsed)
    step = sends.on_answer(step.state, answer)
    if isinstance(step, SendAgain):
        new = [piece.way for piece in step.state.pieces]
        if new != ways:
            return f"try {next(way for way, old in zip(new, ways, strict=True) if way is not old)}"
        if row.send == "again":
            return "again"
    while isinstance(step, SendAgain):
        step = sends.on_answer(step.state, answer)
    return ended(step.result)


def rows(section: tuple[Row, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", section, ids=lambda row: row.text)


@rows(SECTION_2_3)
def test_section_2_3_what_an_edit_is_told(row: Row) -> None:
    assert (edit_verdict(row), send_verdict(row)) == (row.edit, row.send)


@rows(SECTION_5_3)
def test_section_5_3_where_a_429_comes_from(row: Row) -> None:
    assert (edit_verdict(row), send_verdict(row)) == (row.edit, row.send)


@rows(SECTION_6_2)
def test_section_6_2_what_is_said_of_media(row: Row) -> None:
    assert (edit_verdict(row), send_verdict(row)) == (row.edit, row.send)


@rows(SECTION_7_2)
def test_section_7_2_what_may_have_been_sent(row: Row) -> None:
    assert (edit_verdict(row), send_verdict(row)) == (row.edit, row.send)


def network(cause: BaseException) -> AiogramError:
    """What aiogram raises for it; only the cause tells them apart."""
    raised = TelegramNetworkError(method=GetMe(), message="HTTP Client says - it")
    raised.__cause__ = cause
    return raised


def undecodable(data: object) -> AiogramError:
    return ClientDecodeError("Failed to deserialize object", ValueError("x"), data)


CONNECTION = ConnectionKey("api.telegram.org", 443, True, True, None, None, None)
LEFT = Witness(left_us=True, status=0)
OURS = "caller wait_for/cancel"  # never wrapped: calls in flight are drained, not cancelled
AS_AIOGRAM_TELLS_IT: dict[str, tuple[AiogramError | OSError, Witness]] = {
    "DNS failure": (network(ClientConnectorDNSError(CONNECTION, OSError())), Witness()),
    "refused / TCP or TLS reset / FIN during handshake": (
        network(ClientConnectorError(CONNECTION, OSError())),
        Witness(),
    ),
    "bad certificate": (
        network(ClientConnectorCertificateError(CONNECTION, OSError())),
        Witness(),
    ),
    "connect or TLS stall, pool wait, with sock_connect/connect set": (
        network(ConnectionTimeoutError()),
        Witness(),
    ),
    "same with aiogram's default float timeout": (network(TimeoutError()), Witness()),
    "server closes after reading request": (network(ServerDisconnectedError()), LEFT),
    "RST after reading / while uploading body": (network(ClientOSError(104, "reset")), LEFT),
    "no answer": (network(TimeoutError()), LEFT),
    "truncated response": (network(ClientPayloadError()), LEFT),
    "502/504 HTML from proxy": (undecodable("<html>"), Witness(left_us=True, status=502)),
    "502 JSON / 500 restart": (
        RestartingTelegram(method=GetMe(), message="Internal Server Error: restart"),
        Witness(left_us=True, status=500),
    ),
    "HTTP 200 ok:true but model mismatch": (
        undecodable({"ok": True, "result": {"message_id": 7, "date": "yesterday"}}),
        Witness(left_us=True, status=200),
    ),
    "HTTP 200 ok:true but model mismatch, of an album": (
        undecodable({"ok": True, "result": [{"message_id": 7}, {"message_id": 8, "date": "x"}]}),
        Witness(left_us=True, status=200),
    ),
}


def test_every_row_of_section_7_2_but_one_is_an_exception_of_aiograms() -> None:
    assert {row.text for row in SECTION_7_2} == {*AS_AIOGRAM_TELLS_IT, OURS}


@rows(tuple(row for row in SECTION_7_2 if row.text != OURS))
def test_section_7_2_is_read_out_of_what_aiogram_raises(row: Row) -> None:
    problem, witness = AS_AIOGRAM_TELLS_IT[row.text]
    found = fault_of(problem, witness)

    # The words of a reason are for people.
    if isinstance(found, Broken):
        assert isinstance(row.fault, Broken)
        assert (found.left_us, found.distrusted) == (row.fault.left_us, row.fault.distrusted)
    else:
        assert found == row.fault


def test_an_album_whose_ids_are_not_all_readable_names_none() -> None:
    half = undecodable({"ok": True, "result": [{"message_id": 7}, {"id": 8}]})

    assert fault_of(half, LEFT) == Undecodable(message_id=None)


@rows(SECTION_7_3)
def test_section_7_3_what_telegram_answers(row: Row) -> None:
    assert (edit_verdict(row), send_verdict(row)) == (row.edit, row.send)


def test_an_unclear_call_is_repeated_by_an_edit_and_never_by_a_send() -> None:
    (row,) = (one for one in SECTION_7_2 if one.text == "no answer")
    answer = judge(row.fault, call=Call.EDIT, elapsed=row.elapsed)
    state = EditState(message_id=7, content=content_of(row), way=Way.URL, attempt_no=1)
    part = SendPart(part_id=uuid4(), content=content_of(row))
    sending = sends.begin(Place(chat_id=1), (part,), attempt_no=1)
    assert isinstance(sending, SendAgain)

    assert isinstance(edits.on_answer(state, answer), Again)
    assert not isinstance(sends.on_answer(sending.state, answer), SendAgain)
