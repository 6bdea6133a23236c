"""`python -m submitter`: run the service until it is told to stop."""

import sys

from submitter.app import main

if __name__ == "__main__":
    sys.exit(main())
