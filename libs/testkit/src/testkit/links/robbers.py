"""Who understands a protocol well enough to steal exactly one answer from it.

Postgres: https://www.postgresql.org/docs/current/protocol-message-formats.html
NATS: https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

import struct
from typing import Final, Protocol

CUT: Final = b"\0cut"  # compared by identity: the connection ends here

SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)
REFUSED: Final = b"N"  # Postgres' answer to a request for TLS, a byte without a frame
HEAD: Final = 5  # of a frame: its type and a length that counts itself
PUB_ACK: Final = b'{"stream":'
COMMITTED: Final = b"CCOMMIT\0"  # type and content of a frame: COMMIT is done
READY: Final = b"Z"  # the last frame of every answer


class Robber(Protocol):
    """One connection's thief."""

    def asks(self, chunk: bytes) -> None:
        """See what the client says."""

    def answers(self, chunk: bytes) -> bytes:
        """Return what the client may hear of an answer; `CUT` ends the connection."""


class Booty:
    """How many answers are to be stolen, shared by all connections of a link."""

    def __init__(self) -> None:
        self.wanted = 0
        self.stolen = 0

    def steal(self, count: int = 1) -> None:
        """Steal so many of the next answers."""
        self.wanted += count

    def takes(self) -> bool:
        """Claim that this one is taken."""
        if not self.wanted:
            return False
        self.wanted -= 1
        self.stolen += 1
        return True


class CommitReplies(Booty):
    """Steals Postgres' reply to COMMIT and ends the connection: committed, and nobody knows."""

    def __call__(self) -> Robber:
        """Return the thief of one connection."""
        return _PostgresRobber(self, COMMITTED)


class Replies(Booty):
    """Steals the end of Postgres' answer to one statement and ends the connection: as if its client died."""

    def __init__(self) -> None:
        super().__init__()
        self._passing = 0

    def steal_after(self, statements: int) -> None:
        """Let so many answers pass and steal the next."""
        self._passing = statements
        self.steal()

    def takes(self) -> bool:
        """Claim that this one is taken."""
        if self.wanted and self._passing:
            self._passing -= 1
            return False
        return super().takes()

    def __call__(self) -> Robber:
        """Return the thief of one connection."""
        return _PostgresRobber(self, READY)


class PubAcks(Booty):
    """Steals JetStream's PubAck: stored, and the publisher hears nothing."""

    def __call__(self) -> Robber:
        """Return the thief of one connection."""
        return _NatsRobber(self)


class _PostgresRobber:
    def __init__(self, booty: Booty, wanted: bytes) -> None:
        self._booty = booty
        self._wanted = wanted  # how a frame begins that is worth stealing
        self._kept = b""
        self._asked_for_tls = False

    def asks(self, chunk: bytes) -> None:
        self._asked_for_tls = self._asked_for_tls or chunk == SSL_REQUEST

    def answers(self, chunk: bytes) -> bytes:
        self._kept += chunk
        passed = b""
        if self._asked_for_tls and self._kept.startswith(REFUSED):
            passed, self._kept, self._asked_for_tls = REFUSED, self._kept[1:], False
        while len(self._kept) >= HEAD:
            end = 1 + struct.unpack_from("!i", self._kept, 1)[0]
            if len(self._kept) < end:
                break
            frame, self._kept = self._kept[:end], self._kept[end:]
            if (frame[:1] + frame[HEAD:]).startswith(self._wanted) and self._booty.takes():
                return CUT
            passed += frame
        return passed


class _NatsRobber:
    def __init__(self, booty: Booty) -> None:
        self._booty = booty
        self._kept = b""

    def asks(self, chunk: bytes) -> None:
        """Nothing of it matters."""

    def answers(self, chunk: bytes) -> bytes:
        self._kept += chunk
        passed = b""
        while (line_end := self._kept.find(b"\r\n")) >= 0:
            line = self._kept[:line_end]
            end = line_end + 2
            if line[:4].upper() in (b"MSG ", b"HMSG"):
                end += int(line.rsplit(b" ", 1)[1]) + 2
            if len(self._kept) < end:
                break
            frame, self._kept = self._kept[:end], self._kept[end:]
            if frame[line_end + 2 :].startswith(PUB_ACK) and self._booty.takes():
                continue
            passed += frame
        return passed
