"""Free loopback ports that stay free while their server is down."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below what systems hand to outgoing connections (Linux 32768+, macOS 49152+): a client that
# reconnects while its server restarts can never be given the server's own port as its source.
FIRST, LAST = 20_000, 32_000
TRIES = 200


class NoFreePort(OSError):
    """Every port tried was taken."""


def free_port() -> int:
    """A port nobody listens on now; it is not reserved, so take it soon."""
    for _ in range(TRIES):
        port = random.SystemRandom().randint(FIRST, LAST)
        if is_free(port):
            return port
    raise NoFreePort(f"no free port between {FIRST} and {LAST} in {TRIES} tries")


def is_free(port: int) -> bool:
    """True when the port can be bound on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
