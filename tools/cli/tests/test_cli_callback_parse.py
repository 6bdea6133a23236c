"""`sendonce callback parse` reads every message we know as the corpus expects."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sendonce_cli.main import app

CORPUS = Path(__file__).parents[3] / "libs" / "kie" / "tests" / "corpus"
KEYS = ["task_id", "state", "result_urls", "error_code", "error_message", "family"]
DONE = {
    "code": 200,
    "msg": "ok",
    "data": {
        "taskId": "task-1",
        "model": "google/nano-banana",
        "state": "success",
        "resultJson": '{"resultUrls":["https://files.example/1.png"]}',
    },
}


def parse(runner: CliRunner, text: str | bytes, *arguments: str) -> list[dict[str, Any]]:
    result = runner.invoke(app, ["callback", "parse", "--json", *arguments], input=text)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def corpus(name: str) -> tuple[str, list[Any]]:
    text = (CORPUS / name).read_text("utf-8")
    return text, [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    "name,kind", [("kie_callbacks.jsonl", "callback"), ("kie_recordinfo.jsonl", "poll")]
)
def test_every_line_of_the_corpus(runner: CliRunner, name: str, kind: str) -> None:
    text, lines = corpus(name)

    readings = parse(runner, text, "--lines", "--kind", kind)

    assert len(readings) == len(lines)
    for reading, line in zip(readings, lines, strict=True):
        expected = line["expect"]
        assert list(reading) == KEYS
        assert sorted(reading.pop("result_urls")) == sorted(expected["result_urls"]), line["case"]
        assert reading.pop("family") == line["family"]
        assert reading == {key: expected[key] for key in reading}, line["case"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(DONE),
        json.dumps({"body": DONE}),
        json.dumps({"family": "market", "headers": {}, "body": DONE}),
        json.dumps({"body": json.dumps(DONE)}),
        json.dumps({"body": DONE}, indent=2),
    ],
    ids=["bare", "wrapped", "with family", "body as a string", "over many lines"],
)
def test_a_message_in_every_wrapping(runner: CliRunner, text: str) -> None:
    (reading,) = parse(runner, text)

    assert reading == {
        "task_id": "task-1",
        "state": "succeeded",
        "result_urls": ["https://files.example/1.png"],
        "error_code": None,
        "error_message": None,
        "family": "market",
    }


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not json",
        b"[1, 2]",
        b"\xff\xfe\x00",
        b'{"body": null}',
        b"[" * 100_000,
        b'{"code":NaN}',
    ],
    ids=["empty", "no json", "a list", "no text", "no body", "too deep", "no number"],
)
def test_whatever_cannot_be_understood_is_unknown(runner: CliRunner, text: bytes) -> None:
    (reading,) = parse(runner, text)

    assert reading["state"] == "unknown"
    assert reading["task_id"] is None


def test_an_id_that_stands_twice_is_not_believed(runner: CliRunner) -> None:
    torn = json.dumps(DONE).replace('"taskId"', '"taskId": "task-2", "taskId"')

    (reading,) = parse(runner, json.dumps({"body": torn}))

    assert reading["task_id"] is None


def test_lines_that_are_blank_are_no_messages(runner: CliRunner) -> None:
    line = json.dumps(DONE)

    assert len(parse(runner, f"\n{line}\n\n{line}\r\n", "--lines")) == 2


def test_a_lone_surrogate_does_not_stop_it(runner: CliRunner) -> None:
    text = '{"body": {"code": 501, "msg": "\\ud800", "data": {"taskId": "task-1"}}}'

    (reading,) = parse(runner, text)

    assert reading["error_message"] == "\ufffd"


def test_a_file(runner: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "callback.json"
    path.write_text(json.dumps(DONE))

    (reading,) = parse(runner, "", str(path))

    assert reading["task_id"] == "task-1"


def test_a_person_reads_why(runner: CliRunner) -> None:
    result = runner.invoke(app, ["callback", "parse"], input=json.dumps(DONE))

    assert result.exit_code == 0
    assert "the task is done" in result.stdout
    assert "https://files.example/1.png" in result.stdout
    assert "data.state=success" in result.stdout


def test_a_person_reads_where_every_value_stood(runner: CliRunner) -> None:
    body = {
        "code": 501,
        "msg": "no",
        "data": {"taskId": "task-1", "state": "fail", "failCode": "7"},
    }

    told = seen(runner, json.dumps({"body": {**body, "taskId": "task-2"}}))

    for expected in (
        "family market data.failCode is there",
        "task none believed at data.taskId at taskId",
        "state failed the task failed at the provider code 501",
        "error code 7 at data.failCode",
        "error text no at msg",
        "odd task id conflict",
    ):
        assert expected in told


def test_a_person_reads_what_was_passed_over(runner: CliRunner) -> None:
    data = {"task_id": "t", "video_url": "https://a.example/1.mp4", "image_url": "https://x"}

    told = seen(runner, json.dumps({"code": 200, "data": data}))

    assert "ignored data.image_url" in told
    assert "family runway data.image_url is there" in told


def test_a_task_nobody_names_is_said(runner: CliRunner) -> None:
    assert "task none named" in seen(runner, '{"code": 501, "data": {}}')


HOSTILE = "[bold red]x[/] [link=https://evil.example]y[/link] \x1b[2J\x07 \u202eabc\r\nz"


@pytest.mark.parametrize("lines", [(), ("--lines",)])
def test_text_of_the_message_is_shown_and_never_obeyed(
    runner: CliRunner, lines: tuple[str, ...]
) -> None:
    data = {"taskId": "[red]t[/]", "state": "fail", "failCode": "[blink]1", "failMsg": HOSTILE}
    text = json.dumps({"code": 501, "data": data})

    result = runner.invoke(app, ["callback", "parse", *lines], input=text)

    assert result.exit_code == 0
    told = " ".join(result.stdout.split())
    for expected in ("[red]t[/]", "[blink]1", "[bold red]x[/]", "[link=https://evil.example]"):
        assert expected in told
    for obeyed in ("\x1b", "\x07", "\u202e", "\r"):
        assert obeyed not in result.stdout
    assert "\\x1b[2J\\x07" in told
    assert "\\u202eabc" in told


def seen(runner: CliRunner, text: str) -> str:
    """What a person sees, whatever the columns."""
    wide = {"COLUMNS": "400"}
    result = runner.invoke(app, ["callback", "parse"], input=text, env=wide)
    assert result.exit_code == 0
    return " ".join(result.stdout.split())


def test_a_person_reads_a_line_a_message(runner: CliRunner) -> None:
    line = json.dumps(DONE)

    result = runner.invoke(app, ["callback", "parse", "--lines"], input=f"{line}\nbroken\n")

    first, second = result.stdout.splitlines()
    assert first.startswith("succeeded")
    assert second.startswith("unknown")
    assert "not_json" in second
