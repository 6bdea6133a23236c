"""Content that goes while its job stays: what was asked, what was shown, where its user is. Money stays as it is."""

from typing import Final

from contracts.values import Cause, JobState, PartState
from job_store.domain.case import Case
from job_store.domain.delivery.parts import SETTLED
from job_store.domain.repair import may_be_sent_again_at
from job_store.domain.rows import LIVE, OPEN, PLACING, EffectState
from job_store.domain.wide import revised

FORGOTTEN: Final = "forgotten"  # why a part will never be shown
NOBODYS_CHAT: Final = 0
OPEN_ENDED: Final = LIVE | {EffectState.UNCERTAIN, EffectState.PARKED}


def in_the_way(case: Case) -> str | None:
    """Say what is still done with its content: then it is waited for, and not forgotten."""
    if case.job.state in OPEN:
        return f"the job is {case.job.state}"
    for effect in case.effects.values():
        if effect.state is EffectState.ACTING:
            return "somebody is at work on it at this moment"
        if effect.kind not in PLACING:
            continue
        if effect.state is EffectState.PENDING:
            return "its result, or a word about it, is still to be shown"
        if effect.state is EffectState.UNCERTAIN and may_be_sent_again_at(effect) > case.now:
            return "a call may still land, and name its chat"
    return None


def forget_prompt(case: Case) -> None:
    """What was asked, and what was said about it, which may quote it."""
    case.change(input={}, caption="", caption_entities=(), buttons=(), error=None)


def forget_media(case: Case) -> None:
    """What was to be shown; what waits for somebody who did not come is not shown any more."""
    _give_up(case)
    for part in list(case.parts.values()):
        case.put_part(
            revised(
                part,
                url=None,
                text="",
                entities=(),
                body=None,
                name=None,
                items=(),
                buttons=(),
                file_id=None,
            )
        )


def forget_chat(case: Case) -> None:
    """Where its user is; who they are stays, for the money's sake."""
    case.change(
        chat_id=NOBODYS_CHAT,
        thread_id=None,
        reply_to=None,
        status_message_id=None,
        status_at=None,
        status_unclear_until=None,
    )


def _give_up(case: Case) -> None:
    """End what would wait for ever. It is nobody's fault of ours, so nothing is given back."""
    for effect in list(case.effects.values()):
        if effect.state in OPEN_ENDED:
            case.settle(effect, EffectState.CANCELLED)
    for part in list(case.parts.values()):
        if part.state not in SETTLED:
            case.put_part(revised(part, state=PartState.REFUSED, refusal=FORGOTTEN))
    if case.job.state is JobState.SUCCEEDED and case.job.deliver:
        is_shown = any(part.state is PartState.SHOWN for part in case.delivery)
        state = JobState.DELIVERED if is_shown else JobState.UNDELIVERABLE
        case.move(state, cause=Cause.PROVIDER if is_shown else Cause.USER)
