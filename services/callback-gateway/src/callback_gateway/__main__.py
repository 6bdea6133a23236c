"""``python -m callback_gateway``."""

from callback_gateway.app import main

raise SystemExit(main())
