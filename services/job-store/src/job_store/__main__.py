"""``python -m job_store``."""

from job_store.app import main

raise SystemExit(main())
