"""What NATS is shown: the seed of an nkey, or a `.creds` file; it may be replaced while a service runs."""

from pathlib import Path

from faststream.nats.security import NatsCredentials, NatsNKey
from nats.aio.client import Client

from chassis.nkey import is_seed, public_key


def security(file: Path | None) -> NatsCredentials | NatsNKey | None:
    """Return what FastStream shows NATS; `OSError` or `ValueError` when the file is of no use."""
    if file is None:
        return None
    return NatsNKey(file) if is_seed(file) else NatsCredentials(str(file))


def follow(client: Client, file: Path | None) -> None:
    """Have each later connect show the seed that then stands in the file.

    nats-py signs with the file's seed of the moment, but under the public key it saw first.
    """
    sign = client._signature_cb  # noqa: SLF001 - there is no public way to replace an nkey
    if file is None or sign is None or not is_seed(file):
        return

    def signed(nonce: str) -> bytes:
        seed = file.read_text("utf-8")
        client._public_nkey = public_key(seed)  # noqa: SLF001 - as above; read after the signature is made
        signature: bytes = sign(nonce)
        return signature

    client._signature_cb = signed  # noqa: SLF001 - as above
