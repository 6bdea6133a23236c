"""A Telegram without limits: answers every call at once and notes when each result was shown."""

import argparse
import itertools
import json
import re
import time
from collections import Counter
from typing import Final

from bench.doubles import serving

# Every result's URL and text carries its mark; lines of status and carriers carry none.
MARK: Final = re.compile(rb"result-([0-9a-z]+)")
CHAT: Final = re.compile(rb"(?:^|&)chat_id=(-?\d+)")
EDITED: Final = re.compile(rb"(?:^|&)message_id=(\d+)")


class Telegram:
    """What was shown, and when, on the clock all processes of a machine share."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._first: dict[str, float] = {}
        self._messages: dict[str, set[int]] = {}
        self._calls: Counter[str] = Counter()

    def answer(self, path: bytes, body: bytes) -> bytes:
        """Answer a Bot API call, or one of the two questions of the bench."""
        if path == b"/shown":
            return json.dumps(self._first).encode()
        if path == b"/counts":
            return json.dumps(self._counts()).encode()
        method = path.rsplit(b"/", 1)[-1].decode()
        self._calls[method] += 1
        if method == "deleteMessage":
            return b'{"ok":true,"result":true}'
        edited = EDITED.search(body)
        message_id = int(edited[1]) if edited else next(self._ids)
        self._note(body, message_id)
        chat = CHAT.search(body)
        return _message(message_id, int(chat[1]) if chat else 1)

    def _note(self, body: bytes, message_id: int) -> None:
        for found in MARK.finditer(body):
            mark = found[1].decode()
            self._first.setdefault(mark, time.monotonic())
            self._messages.setdefault(mark, set()).add(message_id)

    def _counts(self) -> dict[str, int]:
        twice = sum(len(messages) > 1 for messages in self._messages.values())
        return {"shown": len(self._first), "shown_twice": twice, **self._calls}


def _message(message_id: int, chat_id: int) -> bytes:
    return (
        b'{"ok":true,"result":{"message_id":%d,"date":1795000000,'
        b'"chat":{"id":%d,"type":"private","first_name":"A"},"text":"x"}}'
    ) % (message_id, chat_id)


def main() -> None:
    """Serve on the given port."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    serving.run(Telegram().answer, port=parser.parse_args().port)


if __name__ == "__main__":
    main()
