"""Other forms of a finished video, under its own id: what 4K and 1080p refuse."""

from testkit.kie.accounts import Account
from testkit.kie.families import Family
from testkit.kie.families.family import other_form, words_of
from testkit.kie.families.veo import upgrade_created
from testkit.kie.tasks import State
from testkit.kie.wire import JsonObject, envelope
from testkit.kie.workshop import Workshop

UNDER_WAY = "4k is processing. It should be ready in 5-10 minutes. Please check back shortly."


def parent_refusal(workshop: Workshop, account: Account, body: JsonObject) -> JsonObject | None:
    """Only a finished video of the same account has other forms."""
    parent = workshop.book.find(words_of(body, "taskId"))
    if parent is None or parent.account != account.name or not parent.family.name.startswith("veo"):
        return envelope(422, "record is null")
    if parent.state is not State.SUCCEEDED:
        return envelope(422, "record status is not success")
    return None


def upgrade_refusal(
    workshop: Workshop, family: Family, account: Account, body: JsonObject
) -> JsonObject | None:
    """Asked again, it tells of the task it has and makes no second one."""
    refusal = parent_refusal(workshop, account, body)
    if refusal is not None:
        return refusal
    known = workshop.book.find(other_form(family, words_of(body, "taskId")))
    if known is None:
        return None
    told = upgrade_created(known)
    return envelope(200, "success", told) if known.media_urls else envelope(422, UNDER_WAY, told)
