"""`python -m outages.child SERVICE`: a service with the short leases of `make crash`, soon outlasted."""

import sys

from crash.child import run_short

if __name__ == "__main__":
    run_short(sys.argv[1])
