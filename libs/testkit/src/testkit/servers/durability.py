"""What a server's data survives."""

from enum import StrEnum


class Durability(StrEnum):
    """How much a commit costs, and what it buys."""

    POWER_LOSS = "power_loss"  # every commit and PubAck is on the disk first
    KILL = "kill"  # survives kill -9, not the machine's own crash; for tests
