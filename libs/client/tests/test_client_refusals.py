"""A refusal of job-store arrives as its own exception, with all it said."""

import copy
import pickle
from uuid import UUID

import pytest

import sendonce as sdk
from client_store import Service, refuse
from contracts import samples
from contracts.refusals import ErrorReply, RefusalName
from sendonce import SendOnce, SendOnceError
from sendonce.errors import OF_CODE

JOB = UUID(int=7)
# No verb answers so: without a public URL `expect` has no callback URL to hand out, and still works.
KNOWN = [code for code in RefusalName if code != "no_public_url"]
ANSWERED = [code for code in KNOWN if code is not RefusalName.UNAVAILABLE]


@pytest.mark.parametrize("code", ANSWERED)
async def test_each_code_is_an_exception_of_its_own(
    sendonce: SendOnce, service: Service, code: RefusalName
) -> None:
    service.store.scripts.append(refuse(code, "it happened", "do this", JOB))

    with pytest.raises(OF_CODE[code]) as refused:
        await sendonce.wallet(5, "RUB")

    error = refused.value
    assert (error.code, error.message, error.hint) == (code, "it happened", "do this")
    assert error.job_id == JOB
    assert str(error) == f"{code}: it happened; do this [job {JOB}]"
    assert len(service.store.asked) == 1, "a refusal is not asked again"


@pytest.mark.parametrize("code", KNOWN)
def test_each_code_has_a_class_that_is_exported_and_says_what_to_do(code: RefusalName) -> None:
    kind = OF_CODE[code]

    error = kind("it happened")

    assert kind.__name__ == "".join(word.title() for word in code.split("_"))
    assert getattr(sdk, kind.__name__) is kind
    assert error.hint
    assert error.hint != SendOnceError.advice


async def test_a_refusal_of_a_newer_server_is_still_a_refusal(
    sendonce: SendOnce, service: Service
) -> None:
    service.store.scripts.append(
        lambda _: b'{"error": {"code": "over_quota", "message": "too many", "more": 1}}'
    )

    with pytest.raises(SendOnceError, match="over_quota: too many; update the sendonce package"):
        await sendonce.wallet(5, "RUB")


async def test_a_limit_is_a_pause_that_says_when_to_come_back(
    sendonce: SendOnce, service: Service
) -> None:
    (limited,) = [raw for raw in samples.of(ErrorReply) if b"retry_after" in raw]
    service.store.scripts.append(lambda _: limited)

    with pytest.raises(sdk.TooManyJobs) as refused:
        await sendonce.wallet(5, "RUB")

    error = refused.value
    assert isinstance(error, sdk.Paused)
    assert (error.code, error.retry_after) == ("too_many_jobs", 12.0)
    assert (error.whose, error.what, error.allowed) == ("user", "open_jobs", 5)
    assert "user 7 has 5 open jobs" in str(error)
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)


def test_a_refusal_survives_pickling_and_copying() -> None:
    error = sdk.KeyConflict("taken", "use another", JOB)

    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is sdk.KeyConflict
        assert (again.code, again.job_id, str(again)) == (error.code, JOB, str(error))
