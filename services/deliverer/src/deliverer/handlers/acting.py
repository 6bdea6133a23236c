"""The six actions, each ending in a report with its evidence."""

from uuid import UUID

from contracts.deliveries import (
    DeliveryRequested,
    Existing,
    Fresh,
    PostStatus,
    Remove,
    Rewrite,
    Send,
    Show,
    Shown,
    Stage,
)
from contracts.outcomes import NotSent
from deliverer.domain.leases import Lease
from deliverer.domain.posts import NotPosted, Posted
from deliverer.domain.reports import Report, rewritten
from deliverer.domain.wording import line
from deliverer.effects import Effects, Granted, Stopped, Unanswered
from deliverer.handlers.editing import Editing
from deliverer.handlers.posting import Posting
from deliverer.handlers.sending import Sending
from deliverer.handlers.staging import Staging


class Acting:
    """What each kind of request asks for."""

    def __init__(
        self,
        posting: Posting,
        editing: Editing,
        effects: Effects,
        *,
        sending: Sending,
        staging: Staging,
    ) -> None:
        self._posting = posting
        self._editing = editing
        self._effects = effects
        self._sending = sending
        self._staging = staging

    async def act(self, request: DeliveryRequested, lease: Lease, *, holder: UUID) -> Report:
        """Do what is asked; `holder` is who asks to begin what must not happen twice."""
        match request.action:
            case PostStatus() as status:
                return await self._post_status(request, status, lease)
            case Show() as show:
                return await self._show(request, show, lease)
            case Rewrite() as rewrite:
                end = await self._editing.edit(
                    request, rewrite.message_id, rewritten(rewrite), lease=lease
                )
                return Report(result=end.result)
            case Remove(message_id=message_id):
                return Report(result=await self._posting.remove(request, message_id, lease=lease))
            case Send() as send:
                sent = await self._sending.send(request, send, lease, holder=holder)
                return Report(result=sent)
            case Stage() as stage:
                return Report(result=await self._staging.stage(request, stage, lease))

    async def _show(self, request: DeliveryRequested, show: Show, lease: Lease) -> Report:
        match show.carrier:
            case Existing(message_id=message_id):
                return await self._edit(request, show, message_id, lease)
            case Fresh() as carrier:
                return await self._carry(request, show, carrier, lease)

    async def _post_status(
        self, request: DeliveryRequested, status: PostStatus, lease: Lease
    ) -> Report:
        match await self._posting.post(request, status.text, silent=status.silent, lease=lease):
            case Posted(message_id):
                return Report(result=Shown(message_id=message_id))
            case NotPosted(result):
                return Report(result=result)

    async def _carry(
        self, request: DeliveryRequested, show: Show, carrier: Fresh, lease: Lease
    ) -> Report:
        posted = await self._posting.post(request, carrier.text, silent=carrier.silent, lease=lease)
        if isinstance(posted, NotPosted):
            return Report(result=posted.result)
        verdict = await self._effects.carried(
            request.attempt.id,
            posted.message_id,
            not_after=request.attempt.not_after,
            lease=lease,
        )
        match verdict:
            case Granted(message_id, granted):
                strays = () if message_id == posted.message_id else (posted.message_id,)
                return await self._edit(request, show, message_id, granted, strays)
            case Stopped(reason):
                return _unused(posted, f"told to stop: {reason}")
            case Unanswered():
                return _unused(posted, "nobody answered whether the carrier may be used")

    async def _edit(
        self,
        request: DeliveryRequested,
        show: Show,
        message_id: int,
        lease: Lease,
        strays: tuple[int, ...] = (),
    ) -> Report:
        end = await self._editing.edit(request, message_id, show.content, lease=lease)
        return Report(
            result=end.result,
            carrier_id=message_id,
            stray_ids=strays,
            edit_maybe_applied=end.maybe_applied,
        )


def _unused(posted: Posted, reason: str) -> Report:
    """Name the carrier that stands empty: its id must not be lost."""
    return Report(result=NotSent(reason=line(reason)), carrier_id=posted.message_id)
