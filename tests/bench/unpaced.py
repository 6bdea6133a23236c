"""`python -m bench.unpaced`: the job store without a bot's pace, so that Telegram's is not what is measured."""

import sys

from pydantic import Field

from chassis import lifecycle
from job_store import app

PACE_OF_NOBODY = 1_000.0  # times Telegram's own


class Unpaced(app.Settings):
    """The job store's settings; the share of Telegram's allowance knows no upper bound."""

    telegram_share: float = Field(default=PACE_OF_NOBODY, gt=0, description="Any number.")


if __name__ == "__main__":
    sys.exit(lifecycle.run(app.build, Unpaced, name=app.NAME))
