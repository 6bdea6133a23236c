"""One content into one known message: call, decide, call again while the lease lasts."""

from collections.abc import Iterator
from contextlib import contextmanager

from contracts.deliveries import Content, DeliveryRequested, RefusalCode
from contracts.outcomes import NotSent, Refused
from deliverer.domain.answers import Answer, Denied, Trouble
from deliverer.domain.bodies import Way, needs_file
from deliverer.domain.edits import (
    SLOW_PAUSE,
    Again,
    EditState,
    End,
    on_answer,
    on_lease_over,
    on_media_trouble,
)
from deliverer.domain.files import Files
from deliverer.domain.leases import Lease
from deliverer.domain.rendering import editable, rendered, to_fetch
from deliverer.domain.ways import MediaTrouble, first_way
from deliverer.handlers.calling import Calling, widened
from deliverer.handlers.fetching import fetched
from deliverer.handlers.holding import Held, Holding
from deliverer.media.download import NoFile
from deliverer.media.shelf import Shelf
from deliverer.telegram.calls import Telegram

NOTHING_TO_SHOW = End(
    Refused(code=RefusalCode.PAYLOAD, reason="the content has neither a text nor a link"),
    maybe_applied=False,
)
# A second upload into the same message would cancel the first, and so on for ever.
UPLOADING = NotSent(reason="this message is being uploaded already", after=SLOW_PAUSE)


class Editing:
    """Makes a content stand in a message."""

    def __init__(
        self, telegram: Telegram, shelf: Shelf, calling: Calling, holding: Holding
    ) -> None:
        self._telegram = telegram
        self._shelf = shelf
        self._calling = calling
        self._holding = holding
        self._uploads: set[tuple[str, int, int]] = set()

    async def edit(
        self, request: DeliveryRequested, message_id: int, content: Content, *, lease: Lease
    ) -> End:
        content = editable(content)
        way = first_way(content, skip_link=self._shelf.is_link_refused(content.url))
        if way is None or (way is Way.TEXT and not content.text):
            return NOTHING_TO_SHOW
        state = EditState(
            message_id=message_id, content=content, way=way, attempt_no=request.attempt.no
        )
        held = Held(lease)
        while True:
            match await self._step(request, state, held):
                case End() as end:
                    return end
                case Again(state, pause):
                    await self._calling.pause(pause, held.lease)

    async def _step(self, request: DeliveryRequested, state: EditState, held: Held) -> Again | End:
        if not needs_file(state.way):
            return await self._call(request, state, {}, held)
        if (request.bot, request.chat_id, state.message_id) in self._uploads:
            return End(UPLOADING, state.maybe_applied)
        with self._uploading(request, state):
            async with self._holding.renewed(request, state.message_id, held):
                return await self._upload(request, state, held)

    async def _upload(
        self, request: DeliveryRequested, state: EditState, held: Held
    ) -> Again | End:
        found = await self._fetched(state, held)
        if isinstance(found, NoFile):
            return on_media_trouble(state, found.trouble, found.reason)
        return await self._call(request, state, found, held)

    async def _fetched(self, state: EditState, held: Held) -> Files | NoFile:
        items = to_fetch(state.content, state.way)
        while True:
            found = await fetched(
                self._shelf,
                items,
                within=self._calling.left(held.lease),
                stopping=self._calling.stopping,
            )
            is_late = isinstance(found, NoFile) and found.trouble is MediaTrouble.LATE
            # The lease may have been renewed while we waited for as long as it was.
            if not is_late or self._calling.over(held.lease):
                return found

    async def _call(
        self, request: DeliveryRequested, state: EditState, files: Files, held: Held
    ) -> Again | End:
        if self._calling.over(held.lease):
            return on_lease_over(state)
        if (later := self._calling.held(request.bot, request.chat_id)) is not None:
            return End(later, state.maybe_applied)
        shown = rendered(state.content, state.way, files)
        answer = await self._telegram.edit(
            request.token_ref, request.chat_id, state.message_id, shown
        )
        url = state.content.url
        if url is not None and state.way is Way.URL and is_about_the_link(answer):
            self._shelf.link_refused(url)
        parked = self._calling.noted(request.bot, request.chat_id, answer)
        step = on_answer(state, answer)
        if isinstance(step, End):
            return End(widened(step.result, parked), step.maybe_applied)
        return step

    @contextmanager
    def _uploading(self, request: DeliveryRequested, state: EditState) -> Iterator[None]:
        key = (request.bot, request.chat_id, state.message_id)
        self._uploads.add(key)
        try:
            yield
        finally:
            self._uploads.discard(key)


def is_about_the_link(answer: Answer) -> bool:
    # Not after a single failed fetch: that one is tried again.
    return isinstance(answer, Denied) and answer.trouble is Trouble.URL_REFUSED
