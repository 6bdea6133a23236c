"""How a result comes to its chat: edited into one message, or sent once, and never lost on the way."""

from job_store.domain.delivery.answers import on_lease_end, on_outcome
from job_store.domain.delivery.claims import claim, units, waits
from job_store.domain.delivery.forgotten import on_forgotten
from job_store.domain.delivery.layout import showable
from job_store.domain.delivery.parts import make_parts, notify_failure, returned
from job_store.domain.delivery.progress import follow, heard
from job_store.domain.delivery.showing import carried
from job_store.domain.delivery.status import drop_status

__all__ = [
    "carried",
    "claim",
    "drop_status",
    "follow",
    "heard",
    "make_parts",
    "notify_failure",
    "on_forgotten",
    "on_lease_end",
    "on_outcome",
    "returned",
    "showable",
    "units",
    "waits",
]
