"""Becomes another program, which dies with its parent and is never root. A script, not imported.

    python -I -S tether.py PARENT UID GID REACH COMMAND...

PARENT is the process the command must not outlive. UID and GID are `-` or the account to become.
REACH is 1 when that account could not walk to its own files, as in a checkout below /root.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
# Keeps rights over the change of account, and lets access(2), which Postgres asks about its own
# programs, count them as open(2) does.
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
# The first is enough and the weaker; a container's root often has only the second.
CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE = 2, 1
SIGKILL = 9


def become(uid: int, gid: int) -> None:
    """Leave root for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def reaching() -> Callable[[], None]:
    """Prepare, as root, to keep the one right to read past closed directories; call it after."""
    # Everything is loaded and read now: afterwards Python's own library may be out of reach.
    import ctypes  # noqa: PLC0415  # only root pays for loading it
    import struct  # noqa: PLC0415  # as above

    capset = ctypes.CDLL(None, use_errno=True).capset
    capability = reading_capability()
    bit = 1 << capability
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    wanted = struct.pack("6I", bit, bit, bit, 0, 0, 0)
    keep = prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    raise_ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
    keep()

    def keep_only_reach() -> None:
        if capset(header, wanted) != 0:
            raise OSError(ctypes.get_errno(), "capset refused")
        raise_ambient()

    return keep_only_reach


def reading_capability() -> int:
    """The weakest capability we hold that reads past closed directories."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    held = next(int(line.split()[1], 16) for line in status if line.startswith("CapPrm"))
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if held >> capability & 1:
            return capability
    sys.exit("tether: root may not read past closed directories here; move to an open one")


def prctl(option: int, *values: int) -> Callable[[], None]:
    """One prctl call, loaded now and made later."""
    import ctypes  # noqa: PLC0415  # Linux only

    call = ctypes.CDLL(None, use_errno=True).prctl
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]

    def make_it() -> None:
        if call(option, *arguments) != 0:
            raise OSError(ctypes.get_errno(), f"prctl {option} refused")

    return make_it


def nothing() -> None:
    """What other systems do where Linux has something to offer."""


def main() -> None:
    """Drop rights, tie the knot, become the command."""
    parent, uid, gid, reach, *command = sys.argv[1:]
    linux = sys.platform == "linux"
    tie = prctl(PR_SET_PDEATHSIG, SIGKILL) if linux else nothing
    if uid != "-":
        keep_reach = reaching() if linux and reach == "1" else nothing
        become(int(uid), int(gid))
        keep_reach()
    # After the change of account, which would clear this wish.
    tie()
    if os.getppid() != int(parent):
        sys.exit("tether: the parent is already gone")
    os.execv(command[0], command)  # noqa: S606  # this is what the script is for


if __name__ == "__main__":
    main()
