"""Becomes another program whose calls for durability a watcher hears of first. A script of its own.

    python -I -S watched.py SOCKET COMMAND...

SOCKET is the abstract name at which the watcher listens. A filter of the kernel (seccomp, "user
notification") holds each of these calls until the watcher has answered; all others pass untouched.
It needs no root, no ptrace and no package, and it lasts over exec and fork.
"""

import os
import platform
import socket
import struct
import sys
from typing import Final

O_DSYNC: Final = os.O_DSYNC  # a part of O_SYNC too

# By machine: the kernel's name of it for filters, its call `seccomp`, and the calls that are held.
CALLS: Final = {
    "x86_64": (
        0xC000003E,
        317,
        {"fsync": 74, "fdatasync": 75, "rename": 82, "openat": 257, "renameat": 264,
         "renameat2": 316},
    ),
    "aarch64": (
        0xC00000B7,
        277,
        {"fsync": 82, "fdatasync": 83, "openat": 56, "renameat": 38, "renameat2": 276},
    ),
}  # fmt: skip

PR_SET_NO_NEW_PRIVS: Final = 38
SET_MODE_FILTER: Final = 1
NEW_LISTENER: Final = 1 << 3
# The filter's own small language: load a word, jump on equal, jump on a bit, answer.
LOAD, EQUALS, HAS_BIT, ANSWER = 0x20, 0x15, 0x45, 0x06
ALLOW, HOLD = 0x7FFF0000, 0x7FC00000
# Where the words of a call stand: its number, its machine, and the flags of openat.
NUMBER, MACHINE, FLAGS = 0, 4, 32


def rules(machine: int, calls: dict[str, int]) -> list[bytes]:
    """The filter: hold what makes data durable or moves it, let everything else pass."""

    def rule(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("HBBI", code, then, otherwise, value)

    held = sorted(number for name, number in calls.items() if name != "openat")
    return [
        rule(LOAD, MACHINE),
        rule(EQUALS, machine, then=1),
        rule(ANSWER, ALLOW),
        rule(LOAD, NUMBER),
        # To HOLD, which stands last: past what is left of these, and four more.
        *(rule(EQUALS, each, then=len(held) - at + 3) for at, each in enumerate(held)),
        rule(EQUALS, calls["openat"], otherwise=2),
        rule(LOAD, FLAGS),
        rule(HAS_BIT, O_DSYNC, then=1),
        rule(ANSWER, ALLOW),
        rule(ANSWER, HOLD),
    ]


def lend() -> int:
    """Install the filter on this process for good; returns where its calls are heard."""
    import ctypes  # noqa: PLC0415  # only who becomes watched pays for loading it

    machine, seccomp, calls = CALLS[platform.machine()]
    filters = rules(machine, calls)
    text = ctypes.create_string_buffer(b"".join(filters))
    program = struct.pack("HxxxxxxP", len(filters), ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    nothing = ctypes.c_ulong(0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), nothing, nothing, nothing)
    heard: int = libc.syscall(
        ctypes.c_long(seccomp),
        ctypes.c_ulong(SET_MODE_FILTER),
        ctypes.c_ulong(NEW_LISTENER),
        ctypes.c_char_p(program),
    )
    if heard < 0:
        number = ctypes.get_errno()
        sys.exit(f"watched: the kernel lends no calls here: {os.strerror(number)}")
    return heard


def main() -> None:
    """Hand the watcher what it needs, become the command."""
    name, *command = sys.argv[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as watcher:
        watcher.connect(f"\0{name}")
        heard = lend()
        socket.send_fds(watcher, [b"!"], [heard])
        os.close(heard)
        watcher.recv(1)  # it listens now
    os.execv(command[0], command)  # noqa: S606  # this is what the script is for


if __name__ == "__main__":
    main()
