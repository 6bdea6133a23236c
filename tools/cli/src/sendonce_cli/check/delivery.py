"""Phase 4: results in their chats: every sort, once, kept track of, and said to the user when there is none."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from contracts.api import JobView
from contracts.repairs import RedeliverJobs, RepairsView
from contracts.reports import ReportedMedia
from contracts.values import JobState, MediaKind, PartState
from sendonce_cli.probes import speech
from sendonce_cli.probes.files import notes
from sendonce_cli.probes.items import Phase, claim
from sendonce_cli.probes.tenant import MANY, Tenant, ids

CAPTION: Final = "sendonce check"

PHASE: Final = Phase[Tenant](
    number=4,
    name="delivery",
    title="delivery: each sort, tracked, never twice",
    todo="look at the deliverer's log and `sendonce jobs show`; `sendonce deliveries pause BOT` stops harm",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """A sort of result: what it is told as, and as what it must stand in the chat."""

    kind: MediaKind
    stands_as: str
    suffix: str = ""  # of a file; of none: the result is words


SORTS: Final = {
    "image": Sort(kind=MediaKind.IMAGE, stands_as="photo", suffix="png"),
    "video": Sort(kind=MediaKind.VIDEO, stands_as="video", suffix="mp4"),
    "animation": Sort(kind=MediaKind.ANIMATION, stands_as="animation", suffix="gif"),
    "audio": Sort(kind=MediaKind.AUDIO, stands_as="audio", suffix="mp3"),
    "voice": Sort(kind=MediaKind.VOICE, stands_as="voice", suffix="ogg"),
    "file": Sort(kind=MediaKind.FILE, stands_as="document", suffix="pdf"),
    "text": Sort(kind=MediaKind.TEXT, stands_as="text"),
    "text as a file": Sort(kind=MediaKind.FILE, stands_as="document"),
}


def _sort(number: int, sort: Sort) -> Callable[[Tenant], Awaitable[None]]:
    async def look(lab: Tenant) -> None:
        media, content = await _medium(lab, sort)
        # Nothing can be edited into a voice note: it is sent, at most once.
        sent = sort.kind is MediaKind.VOICE
        job = await lab.deliver(
            media,
            chat_id=lab.seen_chats().chat(number),
            caption="" if sort.kind is MediaKind.TEXT else CAPTION,
            mode="send" if sent else "edit",
        )
        await _shown(lab, job)
        await _stands_once(lab, content, as_what=sort.stands_as)

    return look


for _number, (_name, _of) in enumerate(SORTS.items(), start=1):
    PHASE.probe(
        _name, expects=f"it stands in one message, as {_of.stands_as}, and its message is known"
    )(_sort(_number, _of))


async def _medium(lab: Tenant, sort: Sort) -> tuple[ReportedMedia, str]:
    """Make a result of this sort; returns it, and by what its content is known."""
    mark = lab.mark()
    if sort.suffix:
        url, content = await lab.seen_chats().link(sort.suffix, mark=mark)
        return ReportedMedia(kind=sort.kind, url=url), content
    words = f"sendonce check {mark}"
    name = f"{mark}.txt" if sort.kind is MediaKind.FILE else None
    return ReportedMedia(kind=sort.kind, text=words, name=name), words


@PHASE.probe("notes", expects="KIE's notes stand in one message, as a MIDI document")
async def midi(lab: Tenant) -> None:
    medium = ReportedMedia(kind=MediaKind.MIDI, text=notes(), name="check.mid")
    job = await lab.deliver(medium, chat_id=lab.seen_chats().chat(9))
    await _shown(lab, job)


@PHASE.probe("an album", expects="three pictures that are sent stand in three messages, once each")
async def album(lab: Tenant) -> None:
    chats = lab.seen_chats()
    links = [await chats.link("png", mark=lab.mark()) for _ in range(3)]
    media = [ReportedMedia(kind=MediaKind.IMAGE, url=url) for url, _ in links]
    job = await lab.deliver(*media, chat_id=chats.chat(10), mode="send", caption=CAPTION)
    done = await _shown(lab, job)
    messages = {part.message_id for part in done.parts}
    claim(len(messages) == len(links), f"three pictures stand in {len(messages)} messages")
    for _, content in links:
        await _stands_once(lab, content, as_what="photo")


@PHASE.probe(
    "tracking",
    expects="its bot is told created, succeeded, delivered, and the job knows its message",
)
async def tracking(lab: Tenant) -> None:
    words, job = await _words(lab, 11)
    done = await _shown(lab, job)
    told = [line.what for line in (await lab.story(job)).timeline if line.what.startswith("event")]
    wanted = ["event created", "event succeeded", "event delivered"]
    claim(told == wanted, f"its story tells {[what.removeprefix('event ') for what in told]}")
    claim(done.ended_at, "the job is delivered and has no end")
    await _stands_once(lab, words, as_what="text")


@PHASE.probe(
    "undelivered, then delivered",
    expects="what cannot go out is listed, goes out by itself when it can, and stands once",
)
async def retried(lab: Tenant) -> None:
    lab.seen_chats()
    async with lab.paused("deliveries"):
        words, job = await _words(lab, 12)
        listed = ids((await lab.bot.undelivered(MANY)).jobs)
        claim(job.id in listed, "a result that waits is not listed as undelivered")
        await _stands(lab, words, times=0)
    await _shown(lab, job)
    await _stands_once(lab, words, as_what="text")


@PHASE.probe("the same delivery again", expects="the same key shows nothing a second time")
async def same_key(lab: Tenant) -> None:
    key, mark = lab.key(), lab.mark()
    words, chat = f"sendonce check {mark}", lab.seen_chats().chat(13)
    user = lab.user()
    made = [
        await lab.deliver(
            ReportedMedia(kind=MediaKind.TEXT, text=words), key=key, chat_id=chat, user_id=user
        )
        for _ in range(2)
    ]
    claim(made[0].id == made[1].id, "two jobs were made of one key")
    await _shown(lab, made[0])
    await _stands_once(lab, words, as_what="text")


@PHASE.probe(
    "the same callback again",
    expects="a result whose callback comes three times at once stands in one message",
)
async def same_callback(lab: Tenant) -> None:
    chat, task_id = lab.seen_chats().chat(14), lab.task_id()
    job = await lab.expect(deliver=True, chat_id=chat)
    body, words = speech.lyrics(task_id)
    varied = ({**body, "msg": f"try {number}"} for number in range(3))
    await asyncio.gather(*(lab.calls_back(job, one) for one in varied))
    done = await _shown(lab, job)
    claim(len(done.parts) == 1, f"{len(done.parts)} results of one")
    await _stands_once(lab, words, as_what="document")


@PHASE.probe(
    "no second showing by hand",
    expects="`jobs redeliver` refuses what stands in its chat",
    todo="let nobody use `sendonce jobs redeliver`: it shows results twice",
)
async def redelivered(lab: Tenant) -> None:
    words, job = await _words(lab, 15)
    await _shown(lab, job)
    told = await lab.desk.ops(
        "jobs.redeliver", RedeliverJobs, RepairsView, job_ids=(job.id,), **lab.by
    )
    claim(not told.repaired[0].did, "what stands in its chat was delivered again")
    await _stands_once(lab, words, as_what="text")


@PHASE.probe("a failure is said", expects="the user reads in one message that there is no result")
async def failure(lab: Tenant) -> None:
    chat, task_id = lab.seen_chats().chat(16), lab.task_id()
    job = await lab.expect(deliver=True, chat_id=chat)
    await lab.calls_back(job, speech.failed("market", task_id).body)
    await lab.until_state(job, JobState.FAILED)

    async def said() -> JobView | None:
        found = await lab.look(job)
        return found if any(part.state is PartState.SHOWN for part in found.parts) else None

    async def instead() -> str:
        return "nothing was said of the failure"

    done = await lab.until(said, instead=instead)
    await _stands_once(lab, done.parts[0].text or "", as_what="text")


async def _words(lab: Tenant, number: int) -> tuple[str, JobView]:
    words, chat = f"sendonce check {lab.mark()}", lab.seen_chats().chat(number)
    return words, await lab.deliver(ReportedMedia(kind=MediaKind.TEXT, text=words), chat_id=chat)


async def _shown(lab: Tenant, job: JobView) -> JobView:
    """Wait until a job is delivered with all its parts, each in a message that is known."""
    done = await lab.until_state(job, JobState.DELIVERED, JobState.UNDELIVERABLE)
    refused = ", ".join(part.refusal or part.state for part in done.parts)
    claim(done.state is JobState.DELIVERED, f"it was not shown: {refused}")
    known = [part.message_id for part in done.parts if part.state is PartState.SHOWN]
    claim(known and all(known), "it is delivered, and in which message is not known")
    return done


async def _stands_once(lab: Tenant, content: str, *, as_what: str) -> None:
    """Claim what Telegram saw, where it can be asked."""
    stood = await lab.seen_chats().stood(content) if content else None
    if stood is not None:
        claim((stood.ever, stood.now, set(stood.kinds)) == (1, 1, {as_what}), str(stood))


async def _stands(lab: Tenant, content: str, *, times: int) -> None:
    stood = await lab.seen_chats().stood(content)
    if stood is not None:
        claim(stood.ever == times, str(stood))
