"""How the tables of a journal stand: they are in the code of this version, so there is nothing to migrate."""

from typing import Final

from contracts.ops import SchemaView
from job_store.journal.database import Database
from job_store.journal.laws import LAWS
from job_store.journal.lines import FORMAT
from job_store.journal.tables import SPECS

OBJECTS: Final = sum(
    1 + len(spec.columns) + len(spec.indexes) + len(LAWS.get(spec.name, ())) for spec in SPECS
)


class BuiltIn:
    """The tables of a journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def view(self) -> SchemaView:
        """Say which format is kept; a journal of a newer version is not opened, so nothing is unknown or missing."""
        async with self._database.alone() as tables:
            at = tables.clock.now()
        return SchemaView(at=at, journal_format=FORMAT, migrations=(), objects=OBJECTS)
