"""A KIE that runs on this machine: `async with FakeKie(seed=7) as kie: ...`."""

from testkit.kie.accounts import KIE_CREATES, KIE_POLLS, Rate
from testkit.kie.media import Medium
from testkit.kie.plans import PRESETS, CreateAnswer, Garbage, Plan
from testkit.kie.profiles import Durations, Odds, Profile
from testkit.kie.receiver import CallbackReceiver, Received
from testkit.kie.samples import SAMPLES, Sample
from testkit.kie.server import SANDBOX_API_KEY, FakeKie
from testkit.kie.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature
from testkit.kie.switches import Outage, Switches
from testkit.kie.tasks import CallbackAttempt, CallbackKind, State
from testkit.kie.truth import TaskTruth, read_truth

__all__ = [
    "KIE_CREATES",
    "KIE_POLLS",
    "PRESETS",
    "SAMPLES",
    "SANDBOX_API_KEY",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "CallbackAttempt",
    "CallbackKind",
    "CallbackReceiver",
    "CreateAnswer",
    "Durations",
    "FakeKie",
    "Garbage",
    "Medium",
    "Odds",
    "Outage",
    "Plan",
    "Profile",
    "Rate",
    "Received",
    "Sample",
    "State",
    "Switches",
    "TaskTruth",
    "read_truth",
    "signature",
]
