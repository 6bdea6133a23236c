"""Child processes: our services and the servers under them, never outliving us."""

from testkit.processes.child import Child, ChildFailed, Handle
from testkit.processes.service import (
    ServiceProcess,
    ServiceSpec,
    environment,
    python_module,
)
from testkit.processes.waiting import holds

__all__ = [
    "Child",
    "ChildFailed",
    "Handle",
    "ServiceProcess",
    "ServiceSpec",
    "environment",
    "holds",
    "python_module",
]
