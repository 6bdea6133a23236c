"""`python -m deliverer`."""

import sys

from deliverer.app import main

if __name__ == "__main__":
    sys.exit(main())
