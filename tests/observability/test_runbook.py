"""What the runbook tells a person to type, to read and to look at exists."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
import typer.main
from typer.core import TyperGroup

from chassis.settings import KNOWN_NAMES
from observability.shipped import ROOT, RUNBOOK, panels, sections
from sendonce_cli.main import app

TEXT: Final = " ".join((ROOT / RUNBOOK).read_text("utf-8").split())


def root() -> TyperGroup:
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    return found


def commands() -> Iterator[str]:
    """What stands in the runbook as a command, with `sendonce` before it or, once that is clear, without."""
    for span in re.findall(r"`([^`]+)`", TEXT):
        words = span.removeprefix("sendonce ")
        if words != span or (words.split()[0] in root().commands and " " in words):
            yield words


@pytest.mark.parametrize("typed", sorted(set(commands())))
def test_a_command_and_its_options_exist(typed: str) -> None:
    command, words = root(), typed.split()
    while isinstance(command, TyperGroup):
        assert words, f"{typed} is a group of commands"
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}

    asked = {word for word in words if word.startswith("--")}

    assert asked <= known


def test_settings_panels_and_sections_it_points_to_exist() -> None:
    settings = set(re.findall(r"SENDONCE_([A-Z0-9_]+)(?![A-Z0-9_…])", TEXT))
    titles = set(re.findall(r"(?<!\*)\*([A-Za-z][^*]+)\*(?!\*)", TEXT))
    jumps = set(re.findall(r"\]\(#([^)]+)\)", TEXT))

    assert settings <= set(KNOWN_NAMES)
    assert titles <= {panel["title"] for panel in panels()}
    assert jumps <= sections().keys()
    assert titles
    assert jumps
