"""`python -m outages.child SERVICE`: a service with the short leases of `make crash`, soon outlasted."""

import runpy
import sys
from datetime import timedelta

from crash.child import SHORT

if __name__ == "__main__":
    module = sys.argv[1]
    if module == "job_store":
        from job_store.domain import rules

        for name, seconds in SHORT.items():
            setattr(rules, name, timedelta(seconds=seconds))
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
