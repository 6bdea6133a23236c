"""Services under orders, forked from one process: `python -m crash.nursery ADDRESS`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import crash
from crash.child import ORDERS, Orders, hasten, install, shorten
from nursery import load_services
from testkit.processes.nursery import Nursery, become, serve


def nursery_under_orders(directory: Path) -> Nursery:
    """Return where services come from whose awaits obey orders."""
    return Nursery("crash.nursery", directory=directory, path=Path(crash.__file__).parents[1])


def main() -> None:
    """Import all services, then fork one whenever that is asked for."""
    orders = Orders()

    def begin(argv: Sequence[str], env: dict[str, str]) -> None:
        orders.obey(Path(env.pop(ORDERS)))
        become(argv, env)

    install(orders)
    shorten()
    load_services()
    hasten()
    serve(sys.argv[1], begin)


if __name__ == "__main__":
    main()
