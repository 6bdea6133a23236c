"""What an operator's metrics say of KIE: its answers by code, and the credits that are left."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from chassis.clock import SYSTEM
from chassis.metrics import REGISTRY
from chassis.secrets import Secrets
from kie.api import NotCreated
from submitter.kie import Kie, code_of
from submitter_bench import requested
from testkit.kie import CreateAnswer, FakeKie, Outage, Plan


@pytest.fixture
async def kie() -> AsyncIterator[FakeKie]:
    async with FakeKie(create_rate=None) as kie:
        yield kie


@pytest.fixture
async def ours(kie: FakeKie) -> AsyncIterator[Kie]:
    keys = Secrets({"default": SecretStr(kie.api_key)}, directory=None)
    async with Kie.connected(kie.url, keys=keys, clock=SYSTEM) as ours:
        yield ours


def credits_of(account: str) -> float | None:
    return REGISTRY.get_sample_value("sendonce_kie_credits", {"account": account})


def answers(code: str) -> float:
    labels = {"code": code}
    return REGISTRY.get_sample_value("sendonce_kie_create_answers_total", labels) or 0


async def test_credits_of_accounts_that_were_called_are_shown(kie: FakeKie, ours: Kie) -> None:
    await ours.look_at_credits()
    before = credits_of("default")
    await ours.create(requested())
    await ours.create(requested(account="unknown"))

    await ours.look_at_credits()

    assert before is None
    assert credits_of("default") == ours.credits_left("default") == kie.credits_left()
    assert credits_of("unknown") is None


async def test_credits_nobody_knows_any_more_are_not_shown(kie: FakeKie, ours: Kie) -> None:
    await ours.create(requested())
    await ours.look_at_credits()
    kie.switches.outage = Outage.REFUSE

    await ours.look_at_credits()

    assert credits_of("default") is None
    assert ours.credits_left("default") is None


@pytest.mark.parametrize(
    "plan,code",
    [
        (Plan(), "200"),
        (Plan(reject_creates=1, reject_code=429), "429"),
        (Plan(reject_creates=1, reject_code=402), "402"),
        (Plan(create_answer=CreateAnswer.CLOSED), "unclear"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_an_answer_counts_by_its_code(kie: FakeKie, ours: Kie, plan: Plan, code: str) -> None:
    counted = answers(code)
    kie.plan_next(plan)

    await ours.create(requested())

    assert answers(code) == counted + 1


def test_a_code_nobody_knows_makes_no_series_of_its_own() -> None:
    assert code_of(NotCreated("refused", "418", None)) == "other"


async def test_a_kie_that_cannot_be_reached_has_no_code(kie: FakeKie, ours: Kie) -> None:
    counted = answers("unreached")
    await kie.stop()

    await ours.create(requested())

    assert answers("unreached") == counted + 1
