"""Every service bears the environment of all the others, so `up` may hand it on as it is."""

import pytest

import callback_gateway.settings
import deliverer.settings
import job_store.settings
import reconciler.settings
import submitter.settings
from chassis.settings import KNOWN_NAMES, ServiceSettings
from sendonce_cli.settings import DELIVERER, GATEWAY, RECONCILER, STORE, SUBMITTER, Settings

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
