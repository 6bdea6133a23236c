"""Mistakes are said before the wire, in words that name the argument and never repeat its content."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from client_store import Service
from contracts.api import CreateJob, JobRequest
from sendonce import Button, InvalidRequest, NotConnected, SendOnce
from sendonce.orders import JobOptions, slug

WHO = {"key": "k", "chat_id": 7, "user_id": 7}


@pytest.mark.parametrize("price", [19.9, 5.0, True, "1990", None.__class__])
async def test_money_is_an_int_of_minor_units(
    sendonce: SendOnce, service: Service, price: Any
) -> None:
    with pytest.raises(InvalidRequest, match=r"price is a \w+, and money is an int of minor units"):
        await sendonce.create(model="m", input={}, key="k", chat_id=7, user_id=7, price=price)
    with pytest.raises(InvalidRequest, match="amount is a"):
        await sendonce.topup(5, currency="RUB", amount=price, reference="r")

    assert service.store.asked == []


@pytest.mark.parametrize(
    "wrong, said",
    [
        (
            {"chat_id": None},
            r"chat_id: Field required \(give chat_id, user_id and key, or the message\)",
        ),
        ({"key": ""}, "key: "),
        ({"price": -1}, "price: "),
        ({"currency": "rub"}, "currency: "),
        ({"language": "russian"}, "language: "),
        ({"status": "soon"}, "status"),
        ({"model": "\x00"}, "model: .*NUL"),
        ({"input": {"seen": {1, 2}}}, "input"),
        ({"input": {"image": b"raw"}}, "input"),
        ({"prise": 5}, "there is no argument prise; did you mean price"),
        ({"colour": 5}, "there is no argument colour; known are "),
        ({"message": object()}, "this is no Telegram message or callback query: it has no chat"),
    ],
)
async def test_a_wrong_argument_is_named(
    sendonce: SendOnce, service: Service, wrong: dict[str, Any], said: str
) -> None:
    arguments: dict[str, Any] = {"model": "m", "input": {}, **WHO, **wrong}

    with pytest.raises(InvalidRequest, match=said) as refused:
        await sendonce.create(**arguments)

    assert refused.value.code == "invalid_request"
    assert "nothing was changed" in str(refused.value)
    assert service.store.asked == []


async def test_a_refusal_never_repeats_the_prompt(sendonce: SendOnce) -> None:
    prompt = "my secret wish\x00"

    with pytest.raises(InvalidRequest) as refused:
        await sendonce.create(model="m", input={"prompt": prompt}, key="k", chat_id=7, user_id=7)

    assert "secret wish" not in str(refused.value)
    assert refused.value.__suppress_context__


async def test_get_wants_exactly_one_name(sendonce: SendOnce) -> None:
    with pytest.raises(InvalidRequest, match="give job_id or key, and not both"):
        await sendonce.get()
    with pytest.raises(InvalidRequest, match="give job_id or key, and not both"):
        await sendonce.get(UUID(int=1), key="k")
    with pytest.raises(InvalidRequest, match="job_id: "):
        await sendonce.get("7F3K2")


async def test_an_input_larger_than_the_bus_carries_is_refused_with_its_size(
    sendonce: SendOnce,
) -> None:
    with pytest.raises(
        InvalidRequest, match=r"the request is \d{7} bytes and NATS carries 1048576"
    ):
        await sendonce.create(
            model="m", input={"image": "x" * 1_200_000}, key="k", chat_id=7, user_id=7
        )


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), True, "5"])
async def test_a_timeout_is_a_number_of_seconds(sendonce: SendOnce, timeout: Any) -> None:
    with pytest.raises(InvalidRequest, match="a timeout is"):
        await sendonce.wallet(5, "RUB", timeout=timeout)


@pytest.mark.parametrize("bot", ["", "Shop", "shop.other", "*", ">", "a" * 33, 5, "shop\n"])
def test_a_bot_name_that_is_no_subject_token_is_refused(bot: Any) -> None:
    with pytest.raises(InvalidRequest, match="bot="):
        slug(bot)


async def test_an_address_that_cannot_be_one_is_refused_without_its_password() -> None:
    with pytest.raises(InvalidRequest, match="nats_url is empty"):
        SendOnce(" ")
    broken = SendOnce("nats://user:hunter2/x@host:4222")
    with pytest.raises(InvalidRequest, match="connection arguments") as refused:
        await broken.connect()

    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in repr(broken)


async def test_a_method_before_connect_or_after_close_says_so(
    nats_url: str, service: Service
) -> None:
    sendonce = SendOnce(nats_url)
    with pytest.raises(NotConnected, match="async with SendOnce"):
        await sendonce.wallet(5, "RUB")
    await sendonce.connect()
    await sendonce.connect()
    await sendonce.wallet(5, "RUB")
    await sendonce.close()
    await sendonce.close()
    with pytest.raises(NotConnected):
        await sendonce.wallet(5, "RUB")
    await sendonce.connect()
    await sendonce.wallet(5, "RUB")
    await sendonce.close()


def test_every_field_of_a_job_is_an_option_and_has_words() -> None:
    own = {"timeout", "purpose"}
    fields = set(JobRequest.model_fields) - {"not_after"}

    assert set(JobOptions.__annotations__) == fields | own


async def test_a_result_may_carry_buttons(sendonce: SendOnce, service: Service) -> None:
    again = Button(text="Again", data="again")

    await sendonce.create(
        model="m", input={}, key="k", chat_id=7, user_id=7, buttons=[[again]], protect=True
    )

    request = service.store.asked[-1].request
    assert isinstance(request, CreateJob)
    assert request.buttons == ((again,),)
    assert request.protect


@pytest.mark.parametrize("content", ["SUNOTASEED", "nonsense", ""])
async def test_a_file_nats_lets_nobody_in_by_is_said_at_once(
    nats_url: str, tmp_path: Path, content: str
) -> None:
    creds = tmp_path / "shop.nk"
    creds.write_text(content)

    with pytest.raises(InvalidRequest, match="cannot be used") as refused:
        await SendOnce(nats_url, creds=creds).connect(timeout=5)

    assert "creds" in refused.value.hint
    assert "SUNOTASEED" not in str(refused.value)
