"""One module for each thing that is measured."""

from collections.abc import Mapping
from typing import Final

from bench.run import Scenario
from bench.scenarios.allowance import allowance
from bench.scenarios.door import door
from bench.scenarios.lives import lives
from bench.scenarios.overhead import overhead
from bench.scenarios.queries import queries
from bench.scenarios.results import results
from bench.scenarios.together import together

SCENARIOS: Final[Mapping[str, Scenario]] = {
    # First, while the servers are fresh: memory is looked at.
    "lives": lives,
    "door": door,
    "results": results,
    "overhead": overhead,
    "together": together,
    "queries": queries,
    "allowance": allowance,
}
