"""Services of which one may lack something, forked from one process: `python -m sabotage.nursery ADDRESS`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import sabotage
from nursery import load_services
from testkit.processes.nursery import Nursery, become, serve

GUT: Final = "SABOTAGE"  # names what the process lacks


def nursery_of_saboteurs(directory: Path) -> Nursery:
    """Return where services come from that may be gutted."""
    return Nursery("sabotage.nursery", directory=directory, path=Path(sabotage.__file__).parents[1])


def main() -> None:
    """Import all services, then fork one whenever that is asked for."""
    load_services()
    from sabotage.guts import GUTS  # noqa: PLC0415 - after the services it changes

    def begin(argv: Sequence[str], env: dict[str, str]) -> None:
        lacking = env.pop(GUT, "")
        if lacking:
            GUTS[lacking]()
        become(argv, env)

    serve(sys.argv[1], begin)


if __name__ == "__main__":
    main()
