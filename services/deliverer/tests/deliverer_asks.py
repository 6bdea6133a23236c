"""What several tests of the deliverer say: a refusal, a medium on the host, a digest, buttons."""

import hashlib

from contracts.deliveries import Content
from contracts.markup import Button
from contracts.values import MediaKind
from deliverer_media import MediaHost
from testkit.telegram import FakeTelegram, FaultPlan, Mode, ShownMessage

CHAT = 1001
BUTTONS = ((Button(text="Open", url="https://shop.example/"), Button(text="Again", data="a:1")),)


def reject(  # the fields of a refusal a test writes by hand
    telegram: FakeTelegram,
    description: str,
    *,
    methods: str = "send",
    status: int = 400,
    times: int = 1,
) -> None:
    """Refuse the next call of these methods, so many times."""
    telegram.faults.add(
        FaultPlan(
            mode=Mode.REJECT_BEFORE_COMMIT,
            status=status,
            description=description,
            methods=frozenset({methods}),
            times=times,
        )
    )


def digest(content: bytes) -> str:
    """Name bytes as the fake Telegram does."""
    return hashlib.sha256(content).hexdigest()


def labels(shown: ShownMessage) -> list[list[str]]:
    """What the buttons below a message say."""
    rows = (shown.markup or {}).get("inline_keyboard")
    assert isinstance(rows, list | None)
    return [[str(one["text"]) for one in row] for row in rows or []]


def content_of(
    host: MediaHost, kind: MediaKind, name: str, content: bytes, mime: str, **more: object
) -> Content:
    """A content whose link works."""
    url = host.put(f"/{name}", content, mime=mime)
    return Content.model_validate({"kind": kind, "url": url, **more})
