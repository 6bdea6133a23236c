"""One AsyncAPI 3.0 document for each service, made of the surface table, the streams and the frozen samples."""

import inspect
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from pydantic import BaseModel, JsonValue, TypeAdapter

from contracts import samples, streams
from contracts.api import Request
from contracts.documents.schemas import Document, definitions
from contracts.documents.surface import (
    BOT_NAME,
    EVENT_NAME,
    FACTS,
    PURPOSE,
    QUESTIONS,
    Fact,
    Party,
    Question,
)
from contracts.message import SCHEMA_VERSION, Message, Value
from contracts.values import BotSlug

INBOX: Final = "inbox"
JSON_TYPE: Final = "application/json"
BOUND: Final = "0.1.0"  # of AsyncAPI's NATS binding

_SLUG: Final = TypeAdapter(BotSlug).json_schema()
_JSON: Final = TypeAdapter[JsonValue](JsonValue)


def document(service: Party) -> Document:
    """Return what one service reads, writes, asks and answers."""
    facts = [one for one in FACTS if service in (*one.written_by, one.read_by)]
    questions = [one for one in QUESTIONS if service in (*one.asked_by, one.answered_by)]
    said = sorted(_said(facts, questions), key=lambda cls: cls.__name__)
    channels: Document = {one.name: _stored(one) for one in facts}
    channels |= {one.name: _asked(one) for one in questions}
    if questions:
        channels[INBOX] = _inbox(questions)
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:sendonce:{service}",
        "info": _info(service),
        "defaultContentType": JSON_TYPE,
        "servers": {"nats": _server()},
        "channels": channels,
        "operations": dict(_operations(service, facts, questions)),
        "components": {
            "messages": {cls.__name__: _message(cls) for cls in said},
            "schemas": dict(definitions(said)),
        },
    }


def _said(facts: Sequence[Fact], questions: Sequence[Question]) -> set[type[Value]]:
    told: set[type[Value]] = {one.message for one in facts}
    return told.union(*((one.ask, *one.answers) for one in questions))


def _info(service: Party) -> Document:
    return {
        "title": f"sendonce {service}",
        "version": str(SCHEMA_VERSION),
        "description": f"{PURPOSE[service]} Generated from libs/contracts; the version is that of the messages.",
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    }


def _server() -> Document:
    return {
        "host": "{address}",
        "protocol": "nats",
        "description": "NATS with JetStream; its address is SENDONCE_NATS_URL.",
        "variables": {"address": {"default": "127.0.0.1:4222"}},
    }


def _stored(fact: Fact) -> Document:
    (stream,) = [one for one in streams.STREAMS if one.name == fact.stream]
    kept: Document = {
        "stream": stream.name,
        "storage": "file",
        "retention": "limits",
        "discard": stream.discard,
        "maxAgeSeconds": stream.max_age.total_seconds() if stream.max_age else None,
        "maxBytes": stream.max_bytes,
        "duplicateWindowSeconds": stream.duplicate_window.total_seconds(),
    }
    return {
        **_channel(fact.address, fact.what, [fact.message], events=_names(fact)),
        "x-jetstream": kept,
    }


def _names(fact: Fact) -> list[str]:
    return [one.value for one in fact.events] if fact.events else []


def _asked(question: Question) -> Document:
    return _channel(question.address, question.what, [question.ask], events=[])


def _inbox(questions: Sequence[Question]) -> Document:
    answers = set(chain.from_iterable(one.answers for one in questions))
    said = sorted(answers, key=lambda cls: cls.__name__)
    what = "Where an answer goes: the reply subject that NATS carries beside the question."
    return {"address": None, "description": what, "messages": _referred(said)}


def _channel(
    address: str, what: str, said: Sequence[type[BaseModel]], *, events: Sequence[str]
) -> Document:
    channel: Document = {"address": address, "description": what, "messages": _referred(said)}
    parameters: Document = {}
    if BOT_NAME in address:
        parameters[BOT_NAME.strip("{}")] = {
            "description": f"{_SLUG['description']}; {_SLUG['pattern']}",
            "examples": ["default"],
        }
    if EVENT_NAME in address:
        parameters[EVENT_NAME.strip("{}")] = {"enum": list(events)}
    if parameters:
        channel["parameters"] = parameters
    return channel


def _referred(said: Sequence[type[BaseModel]]) -> Document:
    return {cls.__name__: _ref("components", "messages", cls.__name__) for cls in said}


def _operations(
    service: Party, facts: Sequence[Fact], questions: Sequence[Question]
) -> Iterator[tuple[str, Document]]:
    for fact in facts:
        if fact.read_by is service:
            yield f"receive.{fact.name}", _receive(fact)
        if service in fact.written_by:
            yield f"send.{fact.name}", _operation("send", fact.name, fact.what, [fact.message])
    for question in questions:
        if question.answered_by is service:
            yield f"answer.{question.name}", _answer(question)
        if service in question.asked_by:
            yield f"ask.{question.name}", _exchange("send", question)


def _operation(action: str, channel: str, what: str, said: Sequence[type[BaseModel]]) -> Document:
    return {
        "action": action,
        "channel": _ref("channels", channel),
        "summary": what,
        "messages": _of(channel, said),
    }


def _of(channel: str, said: Sequence[type[BaseModel]]) -> list[JsonValue]:
    return [_ref("channels", channel, "messages", cls.__name__) for cls in said]


def _receive(fact: Fact) -> Document:
    receive = _operation("receive", fact.name, fact.what, [fact.message])
    if fact.durable is not None:
        reader = streams.CONSUMER[fact.durable]
        receive["x-jetstream-consumer"] = {
            "durable": reader.durable,
            "kind": "pull",
            "ack": "explicit",
            "ackWaitSeconds": reader.ack_wait.total_seconds(),
            "maxAckPending": reader.max_ack_pending,
        }
    return receive


def _answer(question: Question) -> Document:
    # Replicas share the questions: one of the queue gets each.
    bindings: Document = {
        "nats": {"queue": str(question.answered_by), "bindingVersion": BOUND},
    }
    return {**_exchange("receive", question), "bindings": bindings}


def _exchange(action: str, question: Question) -> Document:
    return {
        **_operation(action, question.name, question.what, [question.ask]),
        "reply": {
            "channel": _ref("channels", INBOX),
            "messages": _of(INBOX, question.answers),
        },
    }


def _message(cls: type[Value]) -> Document:
    frozen = {
        name: raw for name, raw in samples.all().items() if name.split(".")[0] == cls.__name__
    }
    message: Document = {
        "name": cls.__name__,
        "title": cls.__name__,
        "summary": (inspect.getdoc(cls) or "").partition("\n")[0],
        "contentType": JSON_TYPE,
        "payload": _ref("components", "schemas", cls.__name__),
        "examples": [
            {"name": name.partition(".")[2], "payload": _JSON.validate_python(json.loads(raw))}
            for name, raw in frozen.items()
        ],
    }
    if issubclass(cls, Message):
        message["headers"] = _headers()
    if issubclass(cls, Message | Request):
        message["description"] = _promise(cls)
    return message


def _headers() -> Document:
    stable: Document = {"type": "string", "description": "equals `id`; a repeat is stored once"}
    return {
        "type": "object",
        "properties": {"Nats-Msg-Id": stable},
        "required": ["Nats-Msg-Id"],
    }


def _promise(cls: type[Value]) -> str:
    if issubclass(cls, Message):
        return (
            "The same id is the same fact. It may come more than once; unknown fields are ignored."
        )
    return "After `not_after` it is refused and changes nothing; until then ask again with the same key."


def _ref(*path: str) -> Document:
    return {"$ref": "#/" + "/".join(path)}
