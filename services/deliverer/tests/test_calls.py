"""Every row of telegram.md 7.2 and 7.3 through real sockets, and what the calls look like."""

import asyncio
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from contracts.markup import Entity
from deliverer.domain import faults
from deliverer.domain.answers import (
    BotStopped,
    Denied,
    Done,
    Moved,
    Trouble,
    Unclear,
    Unsent,
    Vanished,
    Wait,
)
from deliverer.domain.bodies import CaptionBody, MediaBody, TextBody
from deliverer.domain.files import File
from deliverer.domain.posts import Place
from deliverer.domain.sniff import Shape
from deliverer.telegram import session
from deliverer.telegram.calls import Telegram
from deliverer.telegram.tokens import TokenMissing, Tokens
from testkit.telegram import FaultPlan, Kind, Mode

CHAT = 1001


@pytest.fixture
def telegram_at(token, stack, system_clock) -> Callable[[str], Telegram]:
    """A Telegram room that calls the given address."""

    def made(url: str) -> Telegram:
        tokens = Tokens(default=SecretStr(token), secrets_dir=None)
        room = Telegram(tokens, api_url=url, clock=system_clock)
        stack.push_async_callback(room.close)
        return room

    return made


@pytest.fixture
def telegram(telegram_at, sandbox) -> Telegram:
    return telegram_at(sandbox.url)


async def send(room: Telegram, text: str = "hello"):
    return await room.send_text("default", Place(chat_id=CHAT), text, silent=True)


async def posted(room: Telegram) -> int:
    answer = await send(room)
    assert isinstance(answer, Done)
    assert answer.message_id is not None
    return answer.message_id


# -- 7.2: what may have been sent ---------------------------------------------


@pytest.mark.parametrize(
    "mode",
    [
        Mode.COMMIT_THEN_CLOSE,
        Mode.COMMIT_THEN_RST,
        Mode.COMMIT_THEN_HANG,
        Mode.COMMIT_THEN_TRUNCATED,
        Mode.COMMIT_THEN_HTML,
        Mode.COMMIT_THEN_RESTART,
        Mode.CLOSE_BEFORE_COMMIT,
        Mode.RST_BEFORE_COMMIT,
        Mode.HANG_BEFORE_COMMIT,
        Mode.BAD_GATEWAY,
    ],
)
async def test_once_the_request_has_left_the_outcome_is_unclear(telegram, sandbox, mode):
    sandbox.faults.plan(mode, "send")

    assert isinstance(await send(telegram), Unclear)


async def test_a_disguised_flood_is_unclear(telegram, sandbox, monkeypatch):
    monkeypatch.setattr(faults, "DISGUISED_AFTER", 0.1)
    sandbox.faults.plan(Mode.COMMIT_THEN_FLOOD, "send", seconds=0.2)

    assert isinstance(await send(telegram), Unclear)


async def test_a_timeout_of_ours_is_unclear(telegram, sandbox, monkeypatch):
    monkeypatch.setattr(session, "TOTAL", 0.2)
    sandbox.faults.plan(Mode.COMMIT_THEN_HANG, "send", seconds=2)

    assert isinstance(await send(telegram), Unclear)


async def test_sent_in_words_we_cannot_read_is_sent(telegram, sandbox):
    sandbox.faults.plan(Mode.COMMIT_UNDECODABLE, "send")

    answer = await send(telegram)

    assert answer == Done(message_id=sandbox.visible(CHAT)[0].message_id)


# -- 7.2: what was certainly not sent -------------------------------------------


async def test_a_refused_connection_is_unsent(telegram_at):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused
        url = f"http://127.0.0.1:{held.getsockname()[1]}"

        assert isinstance(await send(telegram_at(url)), Unsent)


async def test_a_name_nobody_knows_is_unsent(telegram_at):
    assert isinstance(await send(telegram_at("http://telegram.invalid:1")), Unsent)


@asynccontextmanager
async def line(talk, **tls) -> AsyncIterator[int]:
    """A port whose every connection is handled by `talk(reader, writer)`."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0, **tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def reset(writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


async def test_a_reset_tls_handshake_is_unsent(telegram_at):
    async def talk(reader, writer):
        await reader.read(16)
        reset(writer)

    async with line(talk) as port:
        assert isinstance(await send(telegram_at(f"https://127.0.0.1:{port}")), Unsent)


async def test_a_closed_tls_handshake_is_unsent(telegram_at):
    async def talk(reader, writer):
        await reader.read(16)
        writer.close()

    async with line(talk) as port:
        assert isinstance(await send(telegram_at(f"https://127.0.0.1:{port}")), Unsent)


async def test_a_stalled_tls_handshake_is_unsent(telegram_at, monkeypatch):
    monkeypatch.setattr(session, "SOCK_CONNECT", 0.2)
    monkeypatch.setattr(session, "CONNECT", 0.4)
    over = asyncio.Event()

    async def talk(reader, writer):
        await over.wait()
        writer.close()

    async with line(talk) as port:
        answer = await send(telegram_at(f"https://127.0.0.1:{port}"))
        over.set()

    assert isinstance(answer, Unsent)


async def test_waiting_for_a_free_connection_in_vain_is_unsent(telegram_at, sandbox, monkeypatch):
    monkeypatch.setattr(session, "CONNECTIONS", 1)
    monkeypatch.setattr(session, "CONNECT", 0.2)
    sandbox.faults.plan(Mode.COMMIT_THEN_HANG, "send", seconds=1)
    room = telegram_at(sandbox.url)

    answers = await asyncio.gather(send(room), send(room))

    assert {type(one) for one in answers} == {Unclear, Unsent}


async def test_a_foreign_certificate_stops_the_bot(telegram_at, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-keyout",
            key,
            "-out",
            cert,
        ],
        check=True,
        capture_output=True,
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)

    async def talk(reader, writer):
        writer.close()

    async with line(talk, ssl=tls) as port:
        assert isinstance(await send(telegram_at(f"https://localhost:{port}")), BotStopped)


# -- 7.3: what Telegram says --------------------------------------------------


def reject(sandbox, status: int, description: str) -> None:
    sandbox.faults.add(
        FaultPlan(mode=Mode.REJECT_BEFORE_COMMIT, status=status, description=description)
    )


@pytest.mark.parametrize(
    "status, description, expected",
    [
        (400, "Bad Request: chat not found", Denied(Trouble.CHAT_GONE, "")),
        (403, "Forbidden: user is deactivated", Denied(Trouble.BLOCKED, "")),
        (413, "Request Entity Too Large", Denied(Trouble.TOO_BIG, "")),
        (401, "Unauthorized", BotStopped("")),
        (404, "Not Found", BotStopped("")),
        (409, "Conflict", BotStopped("")),
        (421, "Misdirected Request", BotStopped("")),
        (406, "NOT_ACCEPTABLE", BotStopped("")),
        (500, "Internal Server Error: restart", Unclear("")),
        (
            500,
            "Internal Server Error: sent message was immediately deleted and can't be returned",
            Vanished(""),
        ),
    ],
)
async def test_telegrams_refusals(telegram, sandbox, status, description, expected):
    reject(sandbox, status, description)

    answer = await send(telegram)

    assert type(answer) is type(expected)
    if isinstance(expected, Denied):
        assert isinstance(answer, Denied)
        assert answer.trouble is expected.trouble


async def test_a_429_names_its_seconds(telegram, sandbox):
    sandbox.faults.plan(Mode.TOO_MANY, "send", retry_after=37)

    answer = await send(telegram)

    assert isinstance(answer, Wait)
    assert answer.after == 37


async def test_a_migrated_group_names_its_new_id(telegram, sandbox):
    sandbox.add_chat(-4001, kind="group")
    await telegram.send_text("default", Place(chat_id=-4001), "hello", silent=True)
    moved = sandbox.migrate(-4001)

    answer = await telegram.send_text("default", Place(chat_id=-4001), "hello", silent=True)

    assert answer == Moved(moved)


# -- 2.3: edits ---------------------------------------------------------------


async def test_an_edit_repeated_is_done(telegram):
    message_id = await posted(telegram)

    first = await telegram.edit("default", CHAT, message_id, TextBody("new"))
    second = await telegram.edit("default", CHAT, message_id, TextBody("new"))

    assert first == Done(message_id=message_id)
    assert second == Done()


async def test_a_text_becomes_a_medium_and_never_a_text_again(telegram, sandbox, make):
    message_id = await posted(telegram)
    photo = MediaBody(Shape.PHOTO, File("result.png", make.png, Shape.PHOTO), "a cat")

    as_photo = await telegram.edit("default", CHAT, message_id, photo)
    as_text = await telegram.edit("default", CHAT, message_id, TextBody("new"))
    caption = await telegram.edit("default", CHAT, message_id, CaptionBody("a dog"))

    (shown,) = sandbox.visible(CHAT)
    assert isinstance(as_photo, Done)
    assert as_photo.file_id
    assert isinstance(as_text, Denied)
    assert as_text.trouble is Trouble.NO_TEXT
    assert isinstance(caption, Done)
    assert (shown.kind, shown.text) == (Kind.PHOTO, "a dog")


@pytest.mark.parametrize(
    "shape, kind",
    [
        (Shape.PHOTO, Kind.PHOTO),
        (Shape.VIDEO, Kind.VIDEO),
        (Shape.AUDIO, Kind.AUDIO),
        (Shape.DOCUMENT, Kind.DOCUMENT),
    ],
)
async def test_each_shape_is_its_own_kind_of_message(telegram, sandbox, make, shape, kind):
    message_id = await posted(telegram)
    content = {Shape.PHOTO: make.png, Shape.VIDEO: make.mp4, Shape.AUDIO: b"ID3" + bytes(64)}.get(
        shape, b"%PDF-1.7"
    )
    body = MediaBody(shape, File("result.bin", content, shape), "words")

    answer = await telegram.edit("default", CHAT, message_id, body)

    (shown,) = sandbox.visible(CHAT)
    assert isinstance(answer, Done)
    assert answer.file_id
    assert (shown.kind, shown.text) == (kind, "words")


async def test_a_kept_file_id_shows_the_same_file(telegram, sandbox, make):
    first, second = await posted(telegram), await posted(telegram)
    upload = MediaBody(Shape.PHOTO, File("result.png", make.png, Shape.PHOTO))
    answer = await telegram.edit("default", CHAT, first, upload)
    assert isinstance(answer, Done)
    assert answer.file_id

    await telegram.edit("default", CHAT, second, MediaBody(Shape.PHOTO, answer.file_id))

    digests = {shown.digest for shown in sandbox.visible(CHAT)}
    assert len(digests) == 1


async def test_hostile_text_stays_text(telegram, sandbox):
    message_id = await posted(telegram)
    hostile = "<b>&amp;</b> *a* [x](tg://user?id=1)"
    bold = (Entity(type="bold", offset=0, length=3),)

    await telegram.edit("default", CHAT, message_id, TextBody(hostile, bold))

    (shown,) = sandbox.visible(CHAT)
    assert shown.text == hostile
    assert [one["type"] for one in shown.entities] == ["bold"]


async def test_a_send_is_silent_and_replies_even_to_nothing(telegram, sandbox):
    answer = await telegram.send_text(
        "default", Place(chat_id=CHAT, reply_to=999), "hello", silent=True
    )

    assert isinstance(answer, Done)
    assert not sandbox.visible(CHAT)[0].notify


async def test_a_deleted_message_cannot_be_deleted_again(telegram):
    message_id = await posted(telegram)

    assert await telegram.delete("default", CHAT, message_id) == Done()
    again = await telegram.delete("default", CHAT, message_id)
    assert isinstance(again, Denied)
    assert again.trouble is Trouble.GONE


# -- tokens -------------------------------------------------------------------


async def test_a_token_file_that_changed_is_read_again(sandbox, secrets, stack, system_clock):
    first, second = "5:first-token-of-the-bot", "5:second-token-of-the-bot"
    (secrets / "shop").write_text(first + "\n")
    room = Telegram(
        Tokens(default=None, secrets_dir=secrets), api_url=sandbox.url, clock=system_clock
    )
    stack.push_async_callback(room.close)
    await room.send_text("shop", Place(chat_id=CHAT), "one", silent=True)
    (secrets / "shop").write_text(second + "\n")

    answer = await room.send_text("shop", Place(chat_id=CHAT), "two", silent=True)

    assert isinstance(answer, Done)
    assert room._bots["shop"][0].get_secret_value() == second


async def test_a_bot_without_a_token_waits_for_its_owner(telegram):
    answer = await telegram.send_text("nobody", Place(chat_id=CHAT), "hello", silent=True)

    assert isinstance(answer, BotStopped)


@pytest.mark.parametrize("ref", ["../etc/passwd", "a/b", ".hidden", "", "a\x00b", "a b"])
def test_a_reference_cannot_leave_its_directory(secrets, ref):
    with pytest.raises(TokenMissing):
        Tokens(default=None, secrets_dir=secrets).token(ref)


def test_what_is_no_token_is_named_without_its_content(secrets):
    (secrets / "shop").write_text("not a token but secret")

    with pytest.raises(TokenMissing) as missing:
        Tokens(default=None, secrets_dir=secrets).token("shop")

    assert "secret" not in str(missing.value)


async def test_no_answer_carries_the_token(telegram_at, token):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        answer = await send(telegram_at(f"http://127.0.0.1:{held.getsockname()[1]}"))

    assert token not in repr(answer)
