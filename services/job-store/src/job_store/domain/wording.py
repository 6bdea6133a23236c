"""A bot's own texts: which lines there are, and what may stand in braces in each."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from job_store.domain.texts import EN

PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
LANGUAGE: Final = re.compile(r"[a-z]{2}\.")


def placeholders(name: str) -> frozenset[str]:
    """Name what a line may say: what the shipped one says, and the job's label."""
    return frozenset(PLACEHOLDER.findall(EN[name])) | {"label"}


def misfit(texts: Mapping[str, str]) -> str | None:
    """Say what is wrong with a bot's own texts, with the nearest name there is; None when all fit."""
    for name, text in texts.items():
        known = LANGUAGE.sub("", name, count=1) if LANGUAGE.match(name) else name
        if known not in EN:
            return f"no line is called {name}{_nearest(known, EN)}"
        for found in PLACEHOLDER.findall(text):
            if found not in placeholders(known):
                say = _nearest(found, placeholders(known), mark="{%s}")
                return f"{name}: {{{found}}} means nothing there{say}"
    return None


def _nearest(word: str, words: Mapping[str, str] | frozenset[str], *, mark: str = "%s") -> str:
    """Name the nearest; a placeholder always has one, because there are so few."""
    cutoff = 0.6 if mark == "%s" else 0.0
    near = get_close_matches(word, sorted(words), n=1, cutoff=cutoff)
    return f"; did you mean {mark % near[0]}?" if near else ""
