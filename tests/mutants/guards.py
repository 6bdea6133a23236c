"""The guards that may not be missing: where each stands, what is left without it, and who notices."""

from dataclasses import dataclass
from typing import Final

STORE: Final = "services/job-store/src/job_store"
STORE_TESTS: Final = "services/job-store/tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard as it stands in the source, and the source without it."""

    name: str
    file: str
    stands: str
    without: str
    # Node ids of pytest; every one must pass with the guard, at least one must fail without.
    tests: tuple[str, ...]


GUARDS: Final = (
    Guard(
        name="fencing: a stale token moves nothing",
        file=f"{STORE}/domain/lifecycle.py",
        stands="        case _ if not (is_current and speaks_for_it):\n            return False\n",
        without="",
        tests=(f"{STORE_TESTS}/test_submission_laws.py", f"{STORE_TESTS}/test_domain_laws.py"),
    ),
    Guard(
        name="fencing: a stale worker is told to stop",
        file=f"{STORE}/domain/lifecycle.py",
        stands='    if effect.open_attempt != attempt_id:\n        return "attempt_over"\n',
        without="",
        tests=(f"{STORE_TESTS}/test_submission_laws.py", f"{STORE_TESTS}/test_sending.py"),
    ),
    Guard(
        name="guarded UPDATE: the version before",
        file=f"{STORE}/store/cases.sql",
        stands="WHERE j.id = n.id AND j.version = n.version - 1",
        without="WHERE j.id = n.id",
        tests=(f"{STORE_TESTS}/test_delivery_laws.py",),
    ),
    Guard(
        name="unique key: one job for a key",
        file=f"{STORE}/migrations/20261124000001_lifecycle.sql",
        stands="    UNIQUE (bot, key)",
        without="    UNIQUE (bot, key, id)",
        tests=(f"{STORE_TESTS}/test_money_laws.py",),
    ),
    Guard(
        name="unique key: a message shows one part",
        file=f"{STORE}/migrations/20261124000001_lifecycle.sql",
        stands="    PRIMARY KEY (bot, chat_id, message_id)",
        without="    PRIMARY KEY (bot, chat_id, message_id, part_id)",
        tests=(f"{STORE_TESTS}/test_delivery_laws.py",),
    ),
    Guard(
        name="the attempt in outcome ids",
        file="services/deliverer/src/deliverer/domain/reports.py",
        stands='        id=f"{request.attempt.id}:{report.result.kind}:{_fact(report, holder)}",',
        without='        id=f"{request.job_id}:{report.result.kind}:{_fact(report, holder)}",',
        tests=("services/deliverer/tests/test_domain_values.py",),
    ),
    Guard(
        name="the PubAck wait: 200 only when stored",
        file="services/callback-gateway/src/callback_gateway/handlers.py",
        stands="                return None if stored is not None else answers.NOT_STORED",
        without="                return None",
        tests=("services/callback-gateway/tests/test_faults.py",),
    ),
    Guard(
        name="the lock of the task row",
        file=f"{STORE}/store/cases.sql",
        stands="SELECT task_id FROM tasks WHERE task_id = ANY($1::text[]) ORDER BY task_id FOR UPDATE",
        without="SELECT task_id FROM tasks WHERE task_id = ANY($1::text[]) ORDER BY task_id",
        tests=(f"{STORE_TESTS}/test_task_laws.py",),
    ),
    Guard(
        name="the lock of the job row",
        file=f"{STORE}/store/cases.sql",
        stands="FROM jobs WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE",
        without="FROM jobs WHERE id = ANY($1::uuid[]) ORDER BY id",
        tests=(f"{STORE_TESTS}/test_delivery_laws.py", f"{STORE_TESTS}/test_submission_laws.py"),
    ),
    Guard(
        name="the carrier is written once",
        file=f"{STORE}/domain/delivery/showing.py",
        stands=(
            "        part.message_id is None\n        and effect.open_attempt == attempt_id\n"
            "        and part.state is PartState.PENDING\n"
        ),
        without="        effect.open_attempt == attempt_id\n",
        tests=(f"{STORE_TESTS}/test_delivery_laws.py", f"{STORE_TESTS}/test_domain_laws.py"),
    ),
    Guard(
        name="begin before send: one holder acts",
        file=f"{STORE}/domain/lifecycle.py",
        stands='    if effect.holder not in (None, holder):\n        return "held_by_another"\n',
        without="",
        tests=(f"{STORE_TESTS}/test_sending.py", f"{STORE_TESTS}/test_submission_laws.py"),
    ),
    Guard(
        name='"message to edit not found" after a maybe applied edit',
        file=f"{STORE}/domain/delivery/showing.py",
        stands="    if part.edit_maybe_applied or part.carrier_no >= MAX_CARRIERS:",
        without="    if part.carrier_no >= MAX_CARRIERS:",
        tests=(f"{STORE_TESTS}/test_delivery_laws.py", f"{STORE_TESTS}/test_domain_laws.py"),
    ),
    Guard(
        name="sync_interval: on the disk before the PubAck",
        file="libs/testkit/src/testkit/servers/nats.py",
        stands='"sync_interval: always" if self._durability is Durability.POWER_LOSS else ""',
        without='""',
        tests=("tests/outages/test_power_loss.py",),
    ),
    Guard(
        name="journal: on the disk before it is acknowledged",
        file=f"{STORE}/journal/disk.py",
        stands="    os.fsync(handle)\n",
        without="",
        tests=(f"{STORE_TESTS}/test_journal_disk.py",),
    ),
    Guard(
        name="journal: one process",
        file=f"{STORE}/journal/files.py",
        stands="            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        without="            pass\n",
        tests=(f"{STORE_TESTS}/test_journal_disk.py",),
    ),
    Guard(
        name="journal: what is raised out of is undone",
        file=f"{STORE}/journal/database.py",
        stands="                tables.undo()\n",
        without="",
        tests=(f"{STORE_TESTS}/test_journal_disk.py",),
    ),
    Guard(
        name="journal: a torn line goes before the next is written",
        file=f"{STORE}/journal/files.py",
        stands="    if torn or not whole:\n        _cut(path, whole, after=seq)\n",
        without="",
        tests=(f"{STORE_TESTS}/test_journal_disk.py",),
    ),
    Guard(
        name="journal: damage in the middle is refused",
        file=f"{STORE}/journal/files.py",
        stands="        elif torn:\n            raise JournalError(",
        without="        elif None:\n            raise JournalError(",
        tests=(f"{STORE_TESTS}/test_journal_disk.py",),
    ),
    Guard(
        name="the bucket of callbacks that nobody vouches for",
        file="services/callback-gateway/src/callback_gateway/domain/bucket.py",
        stands="    left = min(bucket.rate.burst, filled)\n",
        without="    left = bucket.rate.burst\n",
        tests=("services/callback-gateway/tests/test_strangers.py",),
    ),
)
