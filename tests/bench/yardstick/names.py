"""What the two halves of the yardstick agree on."""

from typing import Final

STREAM: Final = "YARDSTICK"
SUBJECT: Final = "yardstick.callbacks"
DURABLE: Final = "yardstick"
