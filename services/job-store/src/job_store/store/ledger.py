"""Money moved by a transaction: wallets locked in key order, transfers written."""

from collections.abc import Sequence

from pydantic import JsonValue

from chassis.queries import load
from chassis.storage import Connection
from job_store.domain.rows import Transfer

sql = load("job_store.store", "ledger.sql")


class StaleVersionError(Exception):
    """A row changed while it was locked: impossible, so a bug."""


async def save_money(connection: Connection, transfers: Sequence[Transfer]) -> None:
    """Move what the cases moved; after their jobs are locked."""
    if not transfers:
        return
    deltas: dict[tuple[str, int, str], list[int]] = {}
    for transfer in transfers:
        wallet = (transfer.job.bot, transfer.job.user_id, transfer.job.currency)
        delta = deltas.setdefault(wallet, [0, 0])
        for account, sign in ((transfer.debit, -1), (transfer.credit, 1)):
            if account in ("balance", "held"):
                delta[account == "held"] += sign * transfer.amount
    wallets: list[dict[str, JsonValue]] = [
        {"bot": bot, "user_id": user, "currency": currency, "balance": balance, "held": held}
        for (bot, user, currency), (balance, held) in sorted(deltas.items())
    ]
    await connection.fetch(sql.lock_wallets, wallets)
    moved = await connection.fetch(sql.move_wallets, wallets)
    if len(moved) != len(wallets):
        raise StaleVersionError
    await connection.execute(
        sql.insert_transfers, [_ledger_row(transfer) for transfer in transfers]
    )


def _ledger_row(transfer: Transfer) -> dict[str, JsonValue]:
    job = transfer.job
    return {
        "bot": job.bot,
        "user_id": job.user_id,
        "currency": job.currency,
        "kind": transfer.kind,
        "amount": transfer.amount,
        "debit": transfer.debit,
        "credit": transfer.credit,
        "job_id": str(job.id),
    }
