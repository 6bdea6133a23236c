"""The gateway's HTTP surface as OpenAPI 3.1, made of the answers the gateway itself gives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway_bodies import BODIES, Alive, CallbackProblem, CallbackStored, Ready
from pydantic import BaseModel, JsonValue

from callback_gateway import http
from callback_gateway.domain import answers
from callback_gateway.domain.answers import Problem
from callback_gateway.domain.arrival import BODY_KEPT, SIGNATURE, TIMESTAMP
from chassis import metrics
from contracts.documents.schemas import Document, definitions

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address callbacks are taken at, with every problem a POST to it can meet."""

    path: str
    operation: str
    summary: str
    description: str
    problems: tuple[Problem, ...]


ALWAYS: Final = (answers.SLOW_BODY, answers.BROKEN, answers.NOT_STORED, answers.BUSY)
ADDRESSES: Final = (
    Address(
        path=http.WITH_TOKEN,
        operation="callbackWithToken",
        summary="Take a callback at the address sendonce gave out",
        description=(
            "With a token that is ours nothing is refused: a body that is unreadable, oversized or "
            "contradicts itself is stored as a reason to ask KIE about the task. A token of a key that "
            "is not known any more vouches for nothing, and may have to wait."
        ),
        problems=(
            answers.FORGED_TOKEN,
            answers.NOT_FOUND,
            answers.TOO_MANY_UNVOUCHED,
            *ALWAYS,
        ),
    ),
    Address(
        path=http.CALLBACKS,
        operation="callback",
        summary="Take a callback of a task that was submitted without our address",
        description=(
            "Stored only when the body can be read and names its task. Without KIE's signature, and "
            "whenever the signature does not vouch for this body, KIE is asked before anything moves. "
            "Without a signature only so many are stored in a second."
        ),
        problems=(
            answers.NOT_JSON,
            answers.NO_TASK_ID,
            answers.WRONG_SIGNATURE,
            answers.TOO_LARGE,
            answers.NOT_DECLARED_JSON,
            answers.TOO_MANY_UNVOUCHED,
            *ALWAYS,
        ),
    ),
)
# Not of one address, and so of no operation: what every other path and method gets.
ELSEWHERE: Final = (answers.NOT_FOUND, answers.WRONG_METHOD)

MEANING: Final = {
    200: "Stored.",
    400: "Not stored: the body cannot be read, or names no task.",
    401: "Not stored: the token or the signature is not one of ours.",
    404: "Not stored: the last part of the path cannot be a token.",
    408: "Not stored: the body did not arrive in time. The connection is closed.",
    413: "Not stored: the body is too large without a token. The connection is closed.",
    415: "Not stored: the body is not declared as JSON.",
    429: "Not stored: too many came that nobody vouches for. A poll finds what is not sent again.",
    500: "Not stored: the gateway failed. Send the callback again.",
    503: "Not stored: send the same callback again after `Retry-After` seconds.",
}
# What the HTTP server says before the application is asked.
TOO_MANY_CONNECTIONS: Final = "Service Unavailable"


def document() -> Document:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sendonce callback-gateway",
            "version": "1",
            "summary": "Where KIE's callbacks come in.",
            "description": (
                "Two ports: the public one takes callbacks, the other answers health checks. Every other "
                "address of the public port answers 404 and every other method 405, as a problem. "
                "Generated from the gateway's own table of answers."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            _server(
                "https://{address}",
                "SENDONCE_PUBLIC_URL: the public port, behind whatever ends TLS.",
            )
        ],
        "security": [],
        "tags": [
            {"name": "callbacks", "description": "For KIE."},
            {"name": "health", "description": "For whoever runs the gateway."},
        ],
        "paths": {
            **{address.path: _callbacks(address) for address in ADDRESSES},
            "/livez": _probe(
                "livez", "Is the event loop alive?", Alive, "The event loop turns.", "It is stuck."
            ),
            "/readyz": _probe(
                "readyz", "Can a callback be stored?", Ready, "Every check passed.", "One did not."
            ),
            "/metrics": _metrics(),
        },
        "components": {"schemas": _schemas()},
    }


def _server(url: str, description: str) -> Document:
    return {
        "url": url,
        "description": description,
        "variables": {"address": {"default": "127.0.0.1:8080", "description": "host, and port"}},
    }


def _health() -> list[JsonValue]:
    told = "SENDONCE_HEALTH_HOST and SENDONCE_HEALTH_PORT; not for the public."
    return [_server("http://{address}", told)]


def _schemas() -> Document:
    schemas = definitions(BODIES)
    problem = schemas[CallbackProblem.__name__]
    fields = problem["properties"]
    assert isinstance(fields, dict)
    names: list[JsonValue] = [one.type for one in answers.ALL]
    kind: Document = {"type": "string", "enum": names, "description": "an identifier, no address"}
    return {
        **schemas,
        CallbackProblem.__name__: {**problem, "properties": {**fields, "type": kind}},
    }


def _callbacks(address: Address) -> Document:
    post: Document = {
        "operationId": address.operation,
        "tags": ["callbacks"],
        "summary": address.summary,
        "description": address.description,
        "parameters": [_signature(TIMESTAMP), _signature(SIGNATURE)],
        "requestBody": _request(),
        "responses": {"200": _stored(), **_problems(address.problems)},
    }
    if address.path != http.WITH_TOKEN:
        return {"post": post}
    token: Document = {
        "name": "token",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "description": "key id, job, submission attempt and our signature; given out whole, never taken apart",
    }
    return {"parameters": [token], "post": post}


def _signature(name: str) -> Document:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": "KIE's HMAC covers the task id and this timestamp, and not the body.",
    }


def _request() -> Document:
    example: Document = {
        "code": 200,
        "msg": "Playground task completed successfully.",
        "data": {"taskId": "task-1", "state": "success", "resultJson": '{"resultUrls":[]}'},
    }
    return {
        "required": True,
        "description": f"KIE's callback, unchanged. At most {BODY_KEPT:,} bytes are kept.",
        "content": {JSON: {"schema": {"type": "object"}, "example": example}},
    }


def _stored() -> Document:
    example: Document = {"value": {"code": 200, "msg": "success"}}
    content: Document = {"schema": _ref(CallbackStored), "examples": {"stored": example}}
    return {"description": MEANING[200], "content": {JSON: content}}


def _problems(problems: Sequence[Problem]) -> dict[str, JsonValue]:
    statuses = sorted({one.status for one in problems})
    return {
        str(status): _refusal(status, [one for one in problems if one.status == status])
        for status in statuses
    }


def _refusal(status: int, problems: Iterable[Problem]) -> Document:
    told = list(problems)
    content: Document = {
        http.PROBLEM_JSON: {
            "schema": _ref(CallbackProblem),
            "examples": {one.name: {"summary": one.title, "value": body(one)} for one in told},
        }
    }
    refusal: Document = {"description": MEANING[status], "content": content}
    if any(one.retry_after is not None for one in told):
        refusal["headers"] = {"Retry-After": _retry(told)}
    if answers.BUSY in told:
        content[TEXT] = {
            "schema": {"type": "string"},
            "examples": {"too-many-connections": {"value": TOO_MANY_CONNECTIONS}},
        }
    return refusal


def _retry(told: Sequence[Problem]) -> Document:
    if answers.TOO_MANY_UNVOUCHED in told:
        return {
            "schema": {"type": "integer", "minimum": 1},
            "description": "seconds until one more may be stored",
        }
    waits = {one.retry_after for one in told if one.retry_after is not None}
    return {
        "schema": {"type": "integer", "enum": [*sorted(waits)]},
        "description": "seconds; in problems only",
    }


def body(problem: Problem) -> Document:
    """Return a problem as it is answered."""
    return {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "hint": problem.hint,
    }


def _probe(name: str, asks: str, said: type[BaseModel], well: str, ill: str) -> Document:
    content: Document = {JSON: {"schema": _ref(said)}}
    return {
        "servers": _health(),
        "get": {
            "operationId": name,
            "tags": ["health"],
            "summary": asks,
            "responses": {
                "200": {"description": well, "content": content},
                "503": {"description": ill, "content": content},
            },
        },
    }


def _metrics() -> Document:
    page: Document = {metrics.CONTENT_TYPE: {"schema": {"type": "string"}}}
    return {
        "servers": _health(),
        "get": {
            "operationId": "metrics",
            "tags": ["health"],
            "summary": "Read the gateway's metrics in Prometheus' text format",
            "responses": {"200": {"description": "All metrics.", "content": page}},
        },
    }


def _ref(said: type[BaseModel]) -> Document:
    return {"$ref": f"#/components/schemas/{said.__name__}"}
