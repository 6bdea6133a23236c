"""``python -m chassis.probe``: whether the service in this container is ready, for an engine that asks by a command.

Standard library only: it is started every few seconds.
"""

import http.client
import os
import sys
from typing import Final

TIMEOUT: Final = 3.0  # seconds; /readyz itself waits two for each of its checks
OK: Final = 200


def main() -> int:
    """Ask /readyz on loopback; 0 when it says yes, else 1 and its words."""
    port = os.environ.get("SENDONCE_HEALTH_PORT", "0")  # noqa: TID251 - the settings would cost a second of every start
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=TIMEOUT)
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException) as error:
        print(f"no answer on SENDONCE_HEALTH_PORT={port}: {error}")  # noqa: T201 - what the engine keeps
        return 1
    if answer.status != OK:
        print(said)  # noqa: T201 - as above
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
