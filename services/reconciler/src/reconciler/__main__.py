"""`python -m reconciler`: run the service until it is told to stop."""

import sys

from reconciler.app import main

if __name__ == "__main__":
    sys.exit(main())
