"""Every service bears the environment of all the others, so `up` may hand it on as it is."""

from pathlib import Path

import pytest

import callback_gateway.settings
import deliverer.settings
import job_store.settings
import reconciler.settings
import submitter.settings
from chassis.settings import KNOWN_NAMES, ServiceSettings
from sendonce_cli.settings import DELIVERER, GATEWAY, RECONCILER, STORE, SUBMITTER, Settings
from sendonce_cli.stack.servers import Addresses
from sendonce_cli.stack.supply import outside, wiring
from testkit.ports import free_port

CLASSES: dict[str, type[ServiceSettings]] = {
    "the command": Settings,
    GATEWAY: callback_gateway.settings.Settings,
    STORE: job_store.settings.Settings,
    SUBMITTER: submitter.settings.Settings,
    DELIVERER: deliverer.settings.Settings,
    RECONCILER: reconciler.settings.Settings,
}


@pytest.mark.parametrize("service", list(CLASSES))
def test_a_setting_of_one_is_no_mistake_to_another(service: str) -> None:
    assert {name.upper() for name in CLASSES[service].model_fields} <= KNOWN_NAMES


def test_what_up_tells_by_its_value_is_not_told_by_a_file_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both at once are refused by every service."""
    for name in ("NATS_URL", "DATABASE_URL", "KIE_HMAC_KEYS", "CALLBACK_KEYS"):
        monkeypatch.setenv(f"SENDONCE_{name}_FILE", str(tmp_path / name))
    settings = Settings(data_dir=tmp_path, gateway_port=free_port())
    addresses = Addresses(
        nats_url="nats://127.0.0.1:1",
        database_url="postgresql://127.0.0.1:1/x",
        embedded_nats=False,
        embedded_postgres=False,
    )

    told = wiring(settings, addresses, outside(settings)).shared

    assert {name for name in told if name.endswith("_FILE")} == {"CALLBACK_KEYS_FILE"}
    assert {"NATS_URL", "DATABASE_URL", "KIE_HMAC_KEYS"} <= told.keys()
