"""The seven phases in their order."""

from typing import Final

from sendonce_cli.check import (
    atomic,
    balance,
    callbacks,
    delivery,
    idempotency,
    migrations,
    storage,
)

PHASES: Final = (
    storage.PHASE,
    atomic.PHASE,
    callbacks.PHASE,
    delivery.PHASE,
    migrations.PHASE,
    idempotency.PHASE,
    balance.PHASE,
)
