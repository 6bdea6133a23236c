"""How a result comes to stand in at most one message of its chat."""

from job_store.domain.delivery.answers import carried, on_lease_end, on_outcome
from job_store.domain.delivery.claims import claim, units, waits_for_status
from job_store.domain.delivery.parts import make_parts, notify_failure, returned, showable
from job_store.domain.delivery.status import drop_status

__all__ = [
    "carried",
    "claim",
    "drop_status",
    "make_parts",
    "notify_failure",
    "on_lease_end",
    "on_outcome",
    "returned",
    "showable",
    "units",
    "waits_for_status",
]
