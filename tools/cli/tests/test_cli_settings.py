"""The command's table of names is the services' own, so that none is refused or goes astray."""

import pytest

import callback_gateway.settings
import deliverer.settings
import job_store.settings
import reconciler.settings
import submitter.settings
from chassis.settings import KNOWN_NAMES, ServiceSettings
from sendonce_cli.settings import DELIVERER, GATEWAY, OWN_NAMES, RECONCILER, STORE, SUBMITTER

CLASSES: dict[str, type[ServiceSettings]] = {
    GATEWAY: callback_gateway.settings.Settings,
    STORE: job_store.settings.Settings,
    SUBMITTER: submitter.settings.Settings,
    DELIVERER: deliverer.settings.Settings,
    RECONCILER: reconciler.settings.Settings,
}


@pytest.mark.parametrize("service", list(CLASSES))
def test_every_setting_of_a_service_reaches_it(service: str) -> None:
    fields = {name.upper() for name in CLASSES[service].model_fields}

    assert fields <= KNOWN_NAMES | OWN_NAMES[service]
    assert OWN_NAMES[service] <= fields
