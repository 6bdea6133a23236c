"""The one judge of what became of every job: the system's words against what the outside saw.

The demo, the crash trials and chaos hand in what they asked for, what job-store says and what the
sandboxes remember; the laws inside Postgres are `sendonce doctor`'s, whose findings are handed in too.
"""

from testkit.proof.callbacks import Dropped, unaccounted, without
from testkit.proof.endings import Asked, Ending, Generation, endings, tasks_by_marker
from testkit.proof.money import Wallet, money_troubles
from testkit.proof.sightings import Sighting, Witness, sightings
from testkit.proof.spares import CARRIER, Spares, spares
from testkit.proof.verdict import Facts, Verdict, judged

__all__ = [
    "CARRIER",
    "Asked",
    "Dropped",
    "Ending",
    "Facts",
    "Generation",
    "Sighting",
    "Spares",
    "Verdict",
    "Wallet",
    "Witness",
    "endings",
    "judged",
    "money_troubles",
    "sightings",
    "spares",
    "tasks_by_marker",
    "unaccounted",
    "without",
]
