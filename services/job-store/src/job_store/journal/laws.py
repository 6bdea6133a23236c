"""The CHECKs of the migrations: a row that breaks one is refused, whatever the code decided."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from job_store.journal.values import Row

Law = Callable[[Row], bool]

_ENDS: Final = {"delivered", "failed", "undeliverable", "expired", "cancelled"}
_ENTRIES: Final = {
    ("topup", "external", "balance"),
    ("hold", "balance", "held"),
    ("capture", "held", "revenue"),
    ("release", "held", "balance"),
    ("refund", "revenue", "balance"),
}


def _one_of(column: str, words: str) -> tuple[str, Law]:
    allowed = frozenset(words.split())
    return f"{column}_check", lambda row: row[column] is None or row[column] in allowed


def _matches(column: str, pattern: str) -> tuple[str, Law]:
    form = re.compile(pattern)
    return f"{column}_check", lambda row: form.fullmatch(row[column]) is not None


def _at_least(column: str, least: int) -> tuple[str, Law]:
    return f"{column}_check", lambda row: row[column] >= least


def _said(column: str) -> tuple[str, Law]:
    return f"{column}_check", lambda row: row[column] != ""


def _together(*columns: str) -> tuple[str, Law]:
    return (
        f"{'_'.join(columns)}_together",
        lambda row: len({row[column] is None for column in columns}) == 1,
    )


def _only_of(column: str, *kinds: str) -> tuple[str, Law]:
    """Name a column that rows of these kinds have, and no others."""
    return f"{column}_of", lambda row: (row["kind"] in kinds) == (row[column] is not None)


def _is_ended(job: Row) -> bool:
    return job["state"] in _ENDS or (job["state"] == "succeeded" and not job["deliver"])


LAWS: Final[Mapping[str, tuple[tuple[str, Law], ...]]] = {
    "bots": (
        _matches("slug", r"[a-z][a-z0-9-]{0,31}"),
        _matches("currency", r"[A-Z]{3}"),
        _matches("language", r"[a-z]{2}"),
    ),
    "jobs": (
        _one_of("door", "create expect deliver"),
        _one_of(
            "state",
            "created submitting running succeeded delivered failed undeliverable expired cancelled",
        ),
        _at_least("version", 1),
        _one_of("notify", "auto fresh in_place"),
        _one_of("mode", "edit send"),
        _at_least("price", 0),
        _one_of("money", "none held captured released waived refunded"),
        _one_of("cause", "provider ours user"),
        ("voice_is_sent", lambda job: not job["voice"] or job["mode"] == "send"),
        ("price_has_money", lambda job: (job["price"] > 0) == (job["money"] != "none")),
        _together("ended_at", "cause"),
        ("ended_when_it_is", lambda job: (job["ended_at"] is not None) == _is_ended(job)),
        (
            "unpaid",
            lambda job: (
                job["state"] not in ("failed", "expired", "cancelled")
                or job["money"] in ("none", "released")
            ),
        ),
        (
            "jobs_paid_for",
            lambda job: (
                job["state"] not in ("succeeded", "delivered")
                or job["money"] in ("none", "captured", "waived", "refunded")
            ),
        ),
    ),
    "parts": (
        _at_least("delivery_no", 1),
        _at_least("ordinal", 0),
        _one_of("kind", "image video animation audio voice text file midi"),
        _one_of("state", "pending carried shown refused uncertain parked"),
        ("parts_shown", lambda part: part["state"] != "shown" or part["shown_at"] is not None),
        ("carried", lambda part: part["state"] != "carried" or part["message_id"] is not None),
        ("refusal", lambda part: (part["state"] == "refused") == (part["refusal"] is not None)),
    ),
    "effects": (
        _one_of("kind", "submit status progress show send stage rewrite remove poll"),
        _one_of("state", "pending acting done refused uncertain parked cancelled"),
        ("acting", lambda it: (it["state"] == "acting") == (it["open_attempt"] is not None)),
        ("leased", lambda it: (it["state"] == "acting") == (it["lease_until"] is not None)),
        _only_of("part_id", "show", "send", "stage"),
        ("item", lambda it: it["item"] is None or it["kind"] == "stage"),
        ("queued", lambda it: not it["queued"] or it["state"] == "pending"),
        _only_of("message_id", "rewrite", "remove"),
    ),
    "attempts": (_at_least("no", 1),),
    "orphans": (
        _one_of("state", "waiting matched expired"),
        ("matched", lambda it: (it["state"] == "matched") == (it["job_id"] is not None)),
        ("matched_at", lambda it: (it["state"] == "matched") == (it["matched_at"] is not None)),
    ),
    "reports": (
        _one_of("origin", "callback poll"),
        _one_of("trust", "trusted confirm untrusted"),
    ),
    "wallets": (_at_least("balance", 0), _at_least("held", 0)),
    "ledger": (
        _at_least("amount", 1),
        ("entry", lambda it: (it["kind"], it["debit"], it["credit"]) in _ENTRIES),
        _only_of("reference", "topup"),
        ("job", lambda it: (it["kind"] == "topup") == (it["job_id"] is None)),
        _only_of("refunds", "refund"),
    ),
    "dead_letters": (
        _together("settled_at", "settled_as"),
        _one_of("settled_as", "replayed discarded"),
    ),
    "durations": (_at_least("seconds", 0),),
    "restores": (
        _one_of("phase", "found reports outcomes over"),
        ("over", lambda it: (it["phase"] == "over") == (it["resumed_at"] is not None)),
    ),
    "audit": (_said("who"), _said("why")),
}
