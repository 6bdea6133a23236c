"""ledger.sql: wallets and the entries that move them."""

from collections.abc import Sequence
from uuid import UUID

from job_store.journal.statements.common import Rows, each
from job_store.journal.tables import Tables
from job_store.journal.values import Row


def lock_wallets(t: Tables, wallets: Sequence[Row]) -> Rows:
    keys = [t.wallets.key_of(wallet) for wallet in wallets]
    return t.wallets.those(keys)


def move_wallets(t: Tables, deltas: Sequence[Row]) -> Rows:
    moved = []
    for delta in deltas:
        wallet = t.wallets.get(t.wallets.key_of(delta))
        if wallet is not None:
            balance, held = wallet["balance"] + delta["balance"], wallet["held"] + delta["held"]
            moved.append(t.wallets.change(wallet, balance=balance, held=held))
    return each(moved, "user_id")


def insert_transfers(t: Tables, transfers: Sequence[Row]) -> None:
    for transfer in transfers:
        refunds = None
        if transfer["kind"] == "refund":
            settled = t.ledger.one("ledger_one_settlement", UUID(transfer["job_id"]))
            refunds = settled["id"] if settled and settled["kind"] == "capture" else None
        t.ledger.add(transfer | {"refunds": refunds})
