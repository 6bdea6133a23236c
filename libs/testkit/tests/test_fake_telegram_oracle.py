"""The oracle and the page: what a user sees, over Python and over HTTP."""

import asyncio
import hashlib
import json
import sys
from importlib.resources import files

import pytest
from aiogram import Bot
from aiogram.types import InputMediaPhoto
from aiohttp import ClientSession

from fake_telegram_rig import (
    CHAT,
    GROUP,
    OTHER_TOKEN,
    bot_on,
    fake_telegram,
    file,
    media_host,
    png,
)
from testkit.telegram import Event, FakeTelegram, Mode, Recollection, read_entry


@pytest.fixture
async def tg():
    async with fake_telegram() as telegram:
        yield telegram


@pytest.fixture
async def bot(tg: FakeTelegram):
    async with bot_on(tg) as found:
        yield found


@pytest.fixture
async def http(tg: FakeTelegram):
    async with ClientSession(tg.url) as session:
        yield session


async def test_content_is_counted_by_message_through_edits_and_deletions(
    tg: FakeTelegram, bot: Bot
):
    picture = png()
    digest = hashlib.sha256(picture).hexdigest()
    carrier = await bot.send_message(CHAT, "Ready: image · job 7F3K")
    for caption in ("one", "two"):
        await bot.edit_message_media(
            InputMediaPhoto(media=file(picture), caption=caption),
            chat_id=CHAT,
            message_id=carrier.message_id,
        )
    assert (tg.ever_shown_count(digest), len(tg.shown(digest))) == (1, 1)

    second = await bot.send_photo(CHAT, file(picture))
    await bot.delete_message(CHAT, second.message_id)

    assert tg.ever_shown_count(digest) == 2
    assert [(chat, one.message_id) for chat, one in tg.shown(digest)] == [
        (CHAT, carrier.message_id)
    ]
    assert tg.ever_shown_count("job 7F3K") == 1
    assert tg.shown("job 7F3K") == []


async def test_whoever_reads_the_log_recollects_what_the_oracle_knows(
    tg: FakeTelegram, bot: Bot, http: ClientSession
):
    pictures = [png(shade=shade) for shade in range(3)]
    link = "https://example.org/a.png"
    carrier = await bot.send_message(CHAT, "Ready: image · job 7F3K")
    for picture in pictures[:2]:
        await bot.edit_message_media(
            InputMediaPhoto(media=file(picture)), chat_id=CHAT, message_id=carrier.message_id
        )
    await bot.send_media_group(GROUP, [InputMediaPhoto(media=file(one)) for one in pictures[1:]])
    gone = await bot.send_photo(CHAT, file(pictures[2]))
    await bot.delete_message(CHAT, gone.message_id)
    await bot.send_message(CHAT, f"It is here: {link}")

    async with http.get("/sim/log") as answer:
        told = (await answer.json())["entries"]
    recalled = Recollection(map(read_entry, told))

    assert recalled.log() == tuple(tg.log())
    for content in (link, *(hashlib.sha256(one).hexdigest() for one in pictures), "0" * 64):
        assert recalled.ever_shown(content) == tg.ever_shown(content)
        assert recalled.shown(content) == tg.shown(content)


async def test_a_url_counts_as_medium_and_as_link(tg: FakeTelegram, bot: Bot):
    async with media_host() as host:
        url = host.put("a.png", png(), "image/png")
        await bot.send_photo(CHAT, url)
        await bot.send_message(CHAT, f"here: {url}")
        await bot.send_message(CHAT, f'<a href="{url}">here</a>', parse_mode="HTML")

    assert tg.ever_shown_count(url) == 3
    assert len(tg.shown(url)) == 3
    assert tg.ever_shown_count(f"{url}?other") == 0


async def test_the_log_tells_everything_in_order(tg: FakeTelegram, bot: Bot):
    tg.faults.plan(Mode.COMMIT_THEN_HTML, "edit")
    message = await bot.send_message(CHAT, "a", disable_notification=True)
    with pytest.raises(Exception, match="decode"):
        await bot.edit_message_text("b", chat_id=CHAT, message_id=message.message_id)
    await bot.send_message(CHAT, "loud")
    tg.delete_message(CHAT, message.message_id)
    tg.block(CHAT)

    log = tg.log()

    assert [one.seq for one in log] == [1, 2, 3, 4, 5, 6]
    assert [one.event for one in log] == [
        Event.SENT,
        Event.FAILED,
        Event.EDITED,
        Event.SENT,
        Event.USER_DELETED,
        Event.BLOCKED,
    ]
    assert [one.notify for one in log] == [False, False, False, True, False, False]
    assert log[1].note == "commit_then_html_502"
    assert log[2].shown is not None
    assert (log[2].shown.text, log[2].shown.fault) == ("b", "commit_then_html_502")
    assert tg.log(after=4) == log[4:]


async def test_bots_do_not_see_each_others_private_chats(tg: FakeTelegram, bot: Bot):
    await bot.send_message(CHAT, "mine")
    async with bot_on(tg, OTHER_TOKEN) as other:
        await other.send_message(CHAT, "theirs")

    assert [one.text for one in tg.visible(CHAT)] == ["mine", "theirs"]
    assert [one.text for one in tg.visible(CHAT, bot_id=43)] == ["theirs"]


async def test_the_same_truth_over_http(tg: FakeTelegram, bot: Bot, http: ClientSession):
    await bot.send_message(CHAT, "needle one")
    await bot.send_message(7, "needle two")

    async with http.get("/sim/log?after=1") as answer:
        log = await answer.json()
    async with http.get("/sim/chats?q=needle two") as answer:
        chats = await answer.json()
    async with http.get(f"/sim/chats/{CHAT}") as answer:
        chat = await answer.json()
    async with http.get("/sim/ever?content=needle") as answer:
        ever = await answer.json()
    async with http.get("/sim/shown?content=one") as answer:
        shown = await answer.json()
    async with http.post("/sim/ever", json={"contents": ["needle", "absent"]}) as answer:
        many = await answer.json()

    assert [one["message"]["text"] for one in log["entries"]] == ["needle two"]
    assert [one["chat_id"] for one in chats] == [7]
    assert [one["text"] for one in chat["messages"]] == ["needle one"]
    assert (ever["count"], len(shown)) == (2, 1)
    assert many == {"needle": {"ever": 2, "now": 2}, "absent": {"ever": 0, "now": 0}}


async def test_people_act_over_http(tg: FakeTelegram, bot: Bot, http: ClientSession):
    message = await bot.send_message(CHAT, "a")
    await bot.send_message(GROUP, "b")

    async def act(chat: int, action: str, **order: object) -> tuple[int, dict[str, int]]:
        async with http.post(f"/sim/chats/{chat}/{action}", json=order) as answer:
            return answer.status, await answer.json()

    assert await act(CHAT, "say", text="hi") == (200, {"message_id": 3})
    assert (await act(GROUP, "migrate"))[1]["new_chat_id"] < -1_000_000_000_000
    assert (await act(CHAT, "delete_message", message_id=message.message_id))[0] == 200
    assert (await act(CHAT, "delete_message", message_id=999))[0] == 404
    assert (await act(CHAT, "block"))[0] == 200
    assert (await act(CHAT, "unblock"))[0] == 200
    assert (await act(CHAT, "dance"))[0] == 404
    assert (await act(CHAT, "block", typo=1))[0] == 400
    assert [one.text for one in tg.visible(CHAT)] == ["hi"]


async def test_faults_and_limits_are_set_over_http(tg: FakeTelegram, bot: Bot, http: ClientSession):
    plan = {"mode": "429_n", "methods": ["send"], "times": 1, "retry_after": 7}
    async with http.post("/sim/faults", json=plan) as answer:
        ids = (await answer.json())["ids"]
    with pytest.raises(Exception, match="Flood control"):
        await bot.send_message(CHAT, "a")
    await bot.send_message(CHAT, "b")
    async with http.get("/sim/faults") as answer:
        assert [(one["id"], one["struck"]) for one in await answer.json()] == [(ids[0], 1)]
    async with http.delete(f"/sim/faults/{ids[0]}") as answer:
        assert answer.status == 200
    async with http.post("/sim/faults", json={"profile": "hard", "seed": 3}) as answer:
        assert answer.status == 200
    assert len(list(tg.faults.armed())) > 10
    async with http.post("/sim/faults", json={"mode": "unknown"}) as answer:
        assert answer.status == 400
    async with http.delete("/sim/faults") as answer:
        assert answer.status == 200
    async with http.post("/sim/limits", json={"enabled": True, "scale": 2}) as answer:
        assert answer.status == 200
    async with http.get("/sim") as answer:
        assert (await answer.json())["limits"]["bot_per_second"] == 60


async def test_events_stream_from_where_the_page_left_off(
    tg: FakeTelegram, bot: Bot, http: ClientSession
):
    await bot.send_message(CHAT, "seen")
    async with http.get("/sim/events?after=1") as stream:
        await bot.send_message(CHAT, "live")
        async with asyncio.timeout(5):
            line = b""
            while not line.startswith(b"data: "):
                line = await stream.content.readline()

    entries = json.loads(line.removeprefix(b"data: "))
    assert [one["message"]["text"] for one in entries] == ["live"]


async def test_the_page_is_self_contained_and_media_are_harmless(
    tg: FakeTelegram, bot: Bot, http: ClientSession
):
    await bot.send_document(CHAT, file(b"<html><script>alert(1)</script>", "a.html"))
    await bot.send_photo(CHAT, file(png()))
    document, photo = tg.visible(CHAT)
    scripts = [f"/{script.name}" for script in files("testkit.telegram.page").iterdir()]
    scripts = [name for name in scripts if name.endswith(".js")]

    assert len(scripts) > 1
    for path in ("/", "/page.css", *scripts):
        async with http.get(path) as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "innerHTML" not in await answer.text()
    async with http.get(f"/media/{document.digest}") as answer:
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment"
    async with http.get(f"/media/{photo.digest}", headers={"Range": "bytes=0-3"}) as answer:
        assert (answer.status, answer.content_type) == (206, "image/png")
        assert await answer.read() == b"\x89PNG"
    async with http.get(f"/media/{'0' * 64}") as answer:
        assert answer.status == 404


async def test_thousands_of_messages_stay_cheap(tg: FakeTelegram, http: ClientSession):
    async def chatter(chat: int) -> None:
        for number in range(100):
            form = {"chat_id": str(chat), "text": f"job {chat}-{number}"}
            async with http.post("/bot42:x/sendMessage", data=form) as answer:
                assert answer.status == 200

    await asyncio.gather(*(chatter(chat) for chat in range(1, 31)))

    assert len(tg.log()) == 3000
    assert tg.ever_shown_count("job 30-99") == 1


async def test_it_runs_as_a_process_and_says_where():
    command = (sys.executable, "-m", "testkit.telegram", "--faults", "light", "--limits", "off")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        url = json.loads(await process.stdout.readline())["url"]
        async with ClientSession() as http, http.get(f"{url}/bot1:a/getMe") as answer:
            assert (await answer.json())["result"]["is_bot"] is True
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
