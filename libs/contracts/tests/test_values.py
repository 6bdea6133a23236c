"""Laws of the small words every message is made of."""

import time
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from contracts import values
from contracts.values import INT64, MAX_INPUT_DEPTH

RFC_9562: Final = "specified in RFC 4122"  # how the standard library calls the variant
VERSION_7: Final = 7
MONEY: Final = TypeAdapter[int](values.MinorUnits)
IDS: Final = [TypeAdapter[int](kind) for kind in (values.ChatId, values.UserId, values.MessageId)]
storable = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
unstorable = st.sampled_from(["\x00", "\ud800", "\udbff", "\udc00", "\udfff"])


def refused(kind: TypeAdapter[int], value: object) -> bool:
    try:
        kind.validate_python(value)
    except ValidationError:
        return True
    return False


def nested(depth: int, *, as_list: bool) -> JsonValue:
    value: JsonValue = "deep"
    for _ in range(depth):
        value = [value] if as_list else {"in": value}
    return value


def test_a_new_id_is_a_uuid_7_that_carries_its_moment() -> None:
    before = time.time_ns() // 1_000_000
    made = values.new_id()
    after = time.time_ns() // 1_000_000

    assert (made.version, made.variant) == (VERSION_7, RFC_9562)
    assert before <= made.int >> 80 <= after


def test_ids_made_one_after_the_other_are_in_order_by_millisecond_and_never_equal() -> None:
    made = [values.new_id() for _ in range(2_000)]
    moments = [one.int >> 80 for one in made]

    assert moments == sorted(moments)
    assert len(set(made)) == len(made)


@given(st.uuids())
def test_a_label_is_five_readable_letters_and_always_the_same(job_id: UUID) -> None:
    label = values.label(job_id)

    assert label == values.label(UUID(str(job_id)))
    assert len(label) == 5
    assert set(label) <= set(values.CROCKFORD)


def test_the_label_users_wrote_down_does_not_change() -> None:
    assert values.label(UUID("019ab5c0-0000-7000-8000-00000123abcd")) == "DYA7J"


@given(storable)
def test_storable_text_is_left_as_it_is(text: str) -> None:
    assert values.clean(text) == text


@given(storable, unstorable, storable)
def test_text_postgres_cannot_store_is_refused(before: str, bad: str, after: str) -> None:
    with pytest.raises(ValueError, match=r"NUL|surrogate"):
        values.clean(before + bad + after)


@given(unstorable, st.sampled_from(["value", "key", "inner"]))
def test_unstorable_text_is_found_anywhere_in_json(bad: str, place: str) -> None:
    found: dict[str, JsonValue] = {"value": bad, "key": {bad: 1}, "inner": [1, {"a": [bad]}]}

    with pytest.raises(ValueError, match=r"NUL|surrogate"):
        values.clean_json(found[place])


@given(st.integers(0, MAX_INPUT_DEPTH * 2), st.booleans())
def test_json_is_bounded_in_depth(depth: int, as_list: bool) -> None:  # noqa: FBT001 - drawn
    value = nested(depth, as_list=as_list)

    if depth <= MAX_INPUT_DEPTH:
        assert values.clean_json(value) == value
    else:
        with pytest.raises(ValueError, match="nested deeper"):
            values.clean_json(value)


@given(st.integers(min_value=INT64 + 1), st.booleans())
def test_no_whole_number_beyond_a_bigint_is_read(number: int, below: bool) -> None:  # noqa: FBT001 - drawn
    signed = -number if below else number

    assert all(refused(kind, signed) for kind in [MONEY, *IDS])


def test_the_largest_ids_are_read() -> None:
    chat, user, message = IDS

    assert [chat.validate_python(edge) for edge in (-INT64, INT64)] == [-INT64, INT64]
    assert user.validate_python(INT64) == INT64
    assert message.validate_python(2**31 - 1) == 2**31 - 1
    assert refused(user, 0)
    assert refused(message, 2**31)


@given(st.floats().filter(lambda number: not number.is_integer()))
def test_money_is_never_a_fraction(amount: float) -> None:
    assert refused(MONEY, amount)


@given(st.integers(0, 10**12))
def test_money_is_read_as_the_exact_whole_number(amount: int) -> None:
    read = MONEY.validate_python(amount)

    assert read == amount
    assert type(read) is int


@given(st.integers(max_value=-1) | st.integers(min_value=10**12 + 1))
def test_money_has_bounds(amount: int) -> None:
    assert refused(MONEY, amount)


@pytest.mark.parametrize(
    "slug", ["", "Shop", "1shop", "-shop", "shop.one", "shop*", "s" * 33, "a\n"]
)
def test_a_bot_name_that_would_break_a_subject_is_refused(slug: str) -> None:
    class Holder(BaseModel):
        slug: values.BotSlug

    with pytest.raises(ValidationError):
        Holder(slug=slug)


@pytest.mark.parametrize("amount", [True, 5.0, "5", 1.5, -1])
def test_money_is_a_whole_number_and_nothing_like_one(amount: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(values.MinorUnits).validate_python(amount)
