"""The committed documents are what the code says, and hold together; nothing here needs Node."""

import importlib
import re
from collections.abc import Iterator
from typing import Final

import pytest
from pydantic import JsonValue
from rights_tables import filled_in
from write_documents import DOCS, SECURITY, documents, texts

from contract_classes import travelling
from contracts import samples, streams
from contracts.documents.schemas import Document
from contracts.documents.surface import FACTS, QUESTIONS, SERVICES, Party

DOCUMENTS: Final = documents()
ASYNCAPI: Final = {service: DOCUMENTS[f"{service}.asyncapi.yaml"] for service in SERVICES}
WRITE = "write it anew: make docs-api"

services = pytest.mark.parametrize("service", SERVICES)


def part(document: JsonValue, *path: str) -> dict[str, JsonValue]:
    for name in path:
        assert isinstance(document, dict)
        document = document[name]
    assert isinstance(document, dict)
    return document


def entries(document: JsonValue, *path: str) -> dict[str, dict[str, JsonValue]]:
    return {name: part(one) for name, one in part(document, *path).items()}


def references(value: JsonValue) -> Iterator[str]:
    if isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str):
            yield target
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def found(document: Document, reference: str) -> JsonValue:
    value: JsonValue = document
    for name in reference.removeprefix("#/").split("/"):
        assert isinstance(value, dict), reference
        assert name in value, reference
        value = value[name]
    return value


def refs(listed: JsonValue) -> set[str]:
    assert isinstance(listed, list)
    return {str(part(one)["$ref"]) for one in listed}


def offered(channel: str, document: Document) -> set[str]:
    at = f"#/channels/{channel}"
    return {f"{at}/messages/{name}" for name in part(document, "channels", channel, "messages")}


def channel_of(operation: dict[str, JsonValue]) -> str:
    return str(part(operation, "channel")["$ref"]).removeprefix("#/channels/")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_committed_document_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == texts()[name], WRITE


def test_there_is_no_document_that_nobody_writes() -> None:
    assert {one.name for one in DOCS.glob("*.yaml")} == set(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_reference_leads_somewhere(name: str) -> None:
    document = DOCUMENTS[name]

    for reference in references(document):
        assert found(document, reference) is not None


@services
def test_an_operation_uses_messages_of_its_own_channels(service: Party) -> None:
    document = ASYNCAPI[service]

    for name, operation in entries(document, "operations").items():
        assert operation["action"] in ("send", "receive")
        assert refs(operation["messages"]) <= offered(channel_of(operation), document), name
        if "reply" in operation:
            reply = part(operation["reply"])
            assert refs(reply["messages"]) <= offered(channel_of(reply), document), name


@services
def test_an_address_spells_its_parameters_and_no_two_channels_share_one(service: Party) -> None:
    channels = entries(ASYNCAPI[service], "channels")

    addresses = [one["address"] for one in channels.values()]
    assert len(set(addresses)) == len(addresses)
    for name, channel in channels.items():
        spelled = set(re.findall(r"\{(\w+)\}", str(channel["address"])))
        assert spelled == set(part(channel.get("parameters", {}))), name


@services
def test_no_channel_message_or_schema_is_unused(service: Party) -> None:
    document = ASYNCAPI[service]
    used = set(references(document))

    operated = {channel_of(one) for one in entries(document, "operations").values()}
    replied = {
        channel_of(part(one["reply"]))
        for one in entries(document, "operations").values()
        if "reply" in one
    }
    assert operated | replied == set(entries(document, "channels"))
    for kind in ("messages", "schemas"):
        assert {
            f"#/components/{kind}/{name}" for name in entries(document, "components", kind)
        } <= used


@services
def test_every_frozen_sample_of_a_message_is_shown_and_read(service: Party) -> None:
    classes = travelling()
    for name, message in entries(ASYNCAPI[service], "components", "messages").items():
        shown = message["examples"]
        assert isinstance(shown, list)
        assert len(shown) == len(samples.of(classes[name])) > 0
        for example in shown:
            payload = part(example)["payload"]
            assert isinstance(classes[name].model_validate(payload), classes[name])


def test_everything_that_travels_is_documented() -> None:
    told = {
        name
        for document in ASYNCAPI.values()
        for name in entries(document, "components", "messages")
    }

    # A view of its own, and so far only ever one of a list.
    assert told | {"OrphanView"} == set(travelling())


@services
def test_a_document_has_what_the_service_says_and_hears(service: Party) -> None:
    named = set(part(ASYNCAPI[service], "operations"))

    expected = {f"receive.{one.name}" for one in FACTS if one.read_by is service}
    expected |= {f"send.{one.name}" for one in FACTS if service in one.written_by}
    expected |= {f"answer.{one.name}" for one in QUESTIONS if one.answered_by is service}
    expected |= {f"ask.{one.name}" for one in QUESTIONS if service in one.asked_by}
    assert named == expected


@services
def test_stored_messages_name_their_stream_and_readers_their_durable(service: Party) -> None:
    document = ASYNCAPI[service]
    for name, operation in entries(document, "operations").items():
        kind, _, channel = name.partition(".")
        if kind in ("send", "receive"):
            assert part(document, "channels", channel, "x-jetstream")["stream"] in {
                one.name for one in streams.STREAMS
            }
        assert ("x-jetstream-consumer" in operation) == (kind == "receive")
        assert ("reply" in operation) == (kind in ("ask", "answer"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_yaml_says_what_the_document_says(name: str) -> None:
    reader = pytest.importorskip("yaml", reason="comes with openapi-spec-validator")

    assert reader.safe_load(texts()[name]) == DOCUMENTS[name]


@services
def test_every_example_fits_the_schema_it_stands_beside(service: Party) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="comes with openapi-spec-validator")
    document = ASYNCAPI[service]
    for name, message in entries(document, "components", "messages").items():
        wanted = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        examples = message["examples"]
        assert isinstance(examples, list)
        for example in examples:
            jsonschema.Draft7Validator(wanted).validate(part(example)["payload"])


def test_the_openapi_document_is_valid() -> None:
    pytest.importorskip("openapi_spec_validator", reason="not among the dependencies yet")
    validator = importlib.import_module("openapi_spec_validator")

    validator.validate(DOCUMENTS["callback-gateway.openapi.yaml"])


def test_who_may_do_what_stands_in_the_document_as_in_the_code() -> None:
    text = SECURITY.read_text("utf-8")

    assert text == filled_in(text), WRITE
