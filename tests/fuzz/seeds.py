"""Where fuzzing of the reader begins: the corpus of real messages, findings, and the words KIE uses."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Final

from kie.dialects import BY_FAMILY, DIALECTS
from kie.task_ids import PLACES

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = ROOT / "libs" / "kie" / "tests" / "corpus"
FINDINGS: Final = Path(__file__).parent / "findings.jsonl"


def bodies() -> list[bytes]:
    """Return every body of the corpus as it travels."""
    return [
        json.dumps(json.loads(line)["body"], ensure_ascii=False).encode()
        for path in sorted(CORPUS.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]


def findings() -> dict[str, bytes]:
    """Return by name what once broke a law of reading."""
    lines = FINDINGS.read_text("utf-8").splitlines() if FINDINGS.exists() else []
    found = [json.loads(line) for line in lines]
    return {one["name"]: b64decode(one["base64"]) for one in found}


def words() -> list[str]:
    """Return every key and word by which a message is recognised or judged."""
    signs = [sign for one in DIALECTS for sign in (*one.callback_signs, *one.poll_signs)]
    paths = [path for sign in signs for path in (sign.path, *sign.also, *sign.lacks)]
    paths += [place.path for one in DIALECTS for place in (*one.callback.media, *one.poll.media)]
    keys = {key.removesuffix("[]") for path in (*paths, *PLACES) for key in path.split(".")}
    spoken = {word for one in BY_FAMILY.values() for word in one.poll.words}
    return sorted(keys | spoken | {word for sign in signs for word in sign.words})


def write(corpus: Path, dictionary: Path) -> int:
    """Write a file for each body, and libFuzzer's dictionary; return how many bodies."""
    corpus.mkdir(parents=True, exist_ok=True)
    all_bodies = [*bodies(), *findings().values()]
    for number, raw in enumerate(all_bodies):
        # The first byte chooses the family and the HTTP status; see `coverage.split`.
        (corpus / f"{number:04}").write_bytes(bytes([number % 256]) + raw)
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"') for word in words() if word.isascii())
    dictionary.write_text("".join(f'"{word}"\n' for word in escaped), "utf-8")
    return len(all_bodies)
