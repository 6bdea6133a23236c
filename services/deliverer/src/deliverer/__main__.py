"""`python -m deliverer`."""

import sys

from chassis import lifecycle
from deliverer import app
from deliverer.settings import Settings

if __name__ == "__main__":
    sys.exit(lifecycle.run(app.build, Settings, name=app.NAME))
