"""A bot's own texts: only lines there are, only placeholders that mean something."""

import re
from datetime import timedelta
from typing import Any

import pytest

from case_world import SHOP, job_of
from contracts.values import label
from job_store.domain import texts
from job_store.domain.texts import EN, RU
from job_store.domain.wording import misfit, placeholders
from store_kit import create


def test_every_language_has_every_line_with_the_same_placeholders():
    assert EN.keys() == RU.keys()
    for name in EN:
        assert set(re.findall(r"\{\w+\}", EN[name])) == set(re.findall(r"\{\w+\}", RU[name])), name


@pytest.mark.parametrize(
    "given,said",
    [
        ({"statsu": "x"}, "no line is called statsu; did you mean status?"),
        (
            {"ru.carier.image": "x"},
            "no line is called ru.carier.image; did you mean carrier.image?",
        ),
        ({"something": "x"}, "no line is called something"),
        ({"status": "{lable}"}, "status: {lable} means nothing there; did you mean {label}?"),
        (
            {"ru.status.progress": "{x}"},
            "ru.status.progress: {x} means nothing there; did you mean",
        ),
        ({"status": "for {amount}"}, "status: {amount} means nothing there; did you mean {label}?"),
    ],
)
def test_what_does_not_fit_is_said_with_the_nearest(given: dict[str, str], said: str):
    trouble = misfit(given)
    assert trouble is not None
    assert trouble.startswith(said)


def test_every_shipped_line_fits():
    assert misfit(EN | {f"ru.{name}": line for name, line in RU.items()}) is None


def test_no_placeholder_is_left_in_what_a_user_reads():
    values = dict.fromkeys(frozenset().union(*map(placeholders, EN)) - {"label", "amount"}, "1")
    for name in EN:
        for language in ("en", "ru"):
            line = texts.line(SHOP, job_of(create(language=language)), name, **values)
            assert not re.search(r"\{.*\}", line), line


@pytest.mark.parametrize(
    "seconds,shown",
    [(0.2, "5 s"), (42, "45 s"), (55, "55 s"), (56, "1 min"), (61, "2 min"), (600, "10 min")],
)
def test_an_expected_time_is_rounded_up(seconds: float, shown: str):
    assert texts.span(SHOP, job_of(create()), timedelta(seconds=seconds)) == shown


def test_a_bots_own_line_wins_in_its_language_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(SHOP.texts, "status", "At work: {label}")
    monkeypatch.setitem(SHOP.texts, "ru.status", "В работе: {label}")
    for language, line in (("en", "At work: "), ("ru", "В работе: "), ("de", "At work: ")):
        job: Any = job_of(create(language=language))
        assert texts.line(SHOP, job, "status") == line + label(job.id)
