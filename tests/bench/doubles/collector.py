"""A collector of traces that takes everything at once and looks at nothing but its size."""

import argparse
import json

from bench.doubles import serving


class Collector:
    """Counts what it is sent."""

    def __init__(self) -> None:
        self._requests = 0
        self._bytes = 0

    def answer(self, path: bytes, body: bytes) -> bytes:
        """Answer an export, or the one question of the bench."""
        if path == b"/counts":
            return json.dumps({"requests": self._requests, "bytes": self._bytes}).encode()
        self._requests += 1
        self._bytes += len(body)
        return b"{}"


def main() -> None:
    """Serve on the given port."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    serving.run(Collector().answer, port=parser.parse_args().port)


if __name__ == "__main__":
    main()
