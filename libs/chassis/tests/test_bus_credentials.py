"""Credentials may expire while a service runs: it goes on with those that then stand in the file."""

from pathlib import Path

import pytest

from chassis import bus
from chassis.nkey import new_seed, public_key
from chassis_servers import until
from nats_credentials import Operator
from testkit.servers import Durability, NatsServer

EXPIRES_AFTER = 2.0  # seconds; the server knows whole ones
BACK_WITHIN = 15.0


# nats-py drops an attempt that is refused without closing its socket.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("renewed", ["in-time", "late"])
async def test_fault_24_expired_credentials_are_read_anew_and_the_connection_lasts(
    tmp_path: Path, renewed: str
) -> None:
    operator, file = Operator(), tmp_path / "service.creds"
    operator.issue(file, lasts=EXPIRES_AFTER)
    server = NatsServer(tmp_path / "nats", durability=Durability.KILL, more_config=operator.config)
    async with server, bus.connected(server.url, name="tests", creds=file) as broker:
        client = broker.connection
        first = client.client_id
        if renewed == "in-time":
            operator.issue(file, lasts=None)
        else:
            await until(lambda: client.last_error is not None, within=BACK_WITHIN)  # refused
            operator.issue(file, lasts=None)

        await until(lambda: client.is_connected and client.client_id != first, within=BACK_WITHIN)
        await client.flush()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_fault_24_a_rotated_nkey_is_shown_on_the_next_connect(tmp_path: Path) -> None:
    """Both keys are let in, then the old one no more: whoever runs goes on with the new one."""
    old, new, file = new_seed(), new_seed(), tmp_path / "service.nk"
    file.write_text(old)
    server = NatsServer(
        tmp_path / "nats", durability=Durability.KILL, more_config=letting_in(old, new)
    )
    async with server, bus.connected(server.url, name="tests", creds=file) as broker:
        client = broker.connection
        first = client.client_id
        file.write_text(new)

        await server.reconfigure(letting_in(new))

        await until(lambda: client.is_connected and client.client_id != first, within=BACK_WITHIN)
        await client.flush()


def letting_in(*seeds: str) -> str:
    users = ", ".join(f"{{ nkey: {public_key(seed)} }}" for seed in seeds)
    return f"authorization {{ users = [ {users} ] }}"


async def test_replies_come_to_an_inbox_that_is_named_by_who_connects(tmp_path: Path) -> None:
    async with (
        NatsServer(tmp_path / "nats", durability=Durability.KILL) as server,
        bus.connected(server.url, name="deliverer") as broker,
    ):
        assert broker.connection.new_inbox().startswith("_INBOX.deliverer.")
