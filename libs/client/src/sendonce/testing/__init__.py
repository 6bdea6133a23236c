"""For bot developers' own tests: a sendonce in memory, with the refusals, the money and the events of the real one."""

from sendonce.testing.double import SendOnceDouble

__all__ = ["SendOnceDouble"]
