"""What is kept of one user of one bot: handed out, or forgotten."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.message import Value
from contracts.repairs import Repair
from contracts.values import BotSlug, Json, Line, UserId, Word


class ExportUser(Repair):
    """Hand out all rows about a user, page by page; without a table only how many there are, which is audited."""

    bot: BotSlug
    user_id: UserId
    table: Annotated[Word | None, Field(description="whose rows are wanted")] = None
    offset: Annotated[int, Field(ge=0, description="of its rows, those from this one on")] = 0


class KeptTable(Value):
    """How much of one kind is kept."""

    name: Word
    rows: Annotated[int, Field(ge=0)]


class KeptRow(Value):
    """One row as it is kept."""

    row: Json


class UserExportView(Value):
    """A page; the next begins behind its rows, and none are the end."""

    tables: tuple[KeptTable, ...] = ()
    rows: tuple[KeptRow, ...] = ()


class ForgetUser(Repair):
    """Take out all content of a user's jobs and where they are; money and ids stay. Asked again until none is left."""

    bot: BotSlug
    user_id: UserId


class UserForgottenView(Value):
    """What became of it; while a job is open nothing is forgotten."""

    did: bool
    reason: Annotated[Line, Field(description="why it was refused")] = ""
    jobs: Annotated[int, Field(ge=0, description="how many this request has emptied")] = 0
    left: Annotated[int, Field(ge=0, description="how many are still to be emptied")] = 0
    in_the_way: Annotated[
        tuple[UUID, ...], Field(description="open jobs: wait for their end, or cancel them")
    ] = ()
