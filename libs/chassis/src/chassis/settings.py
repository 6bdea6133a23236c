"""The environment as described settings: what is wrong is said readably, secrets never."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, PrivateAttr, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "SENDONCE_"
FILE = "_FILE"

# Every service is started with the same environment, so a name of any of them is no mistake.
KNOWN_NAMES = frozenset(
    {
        "AIOGRAM_FAST_IMPORT",
        "BOT_JOBS_PER_MINUTE",
        "BOT_OPEN_HOLDS",
        "BOT_OPEN_JOBS",
        "BOT_TOKEN",
        "CALLBACK_KEYS",
        "DATABASE_URL",
        "DATA_DIR",
        "GATEWAY_BODY_BYTES",
        "GATEWAY_BODY_SECONDS",
        "GATEWAY_CONNECTIONS",
        "GATEWAY_HOST",
        "GATEWAY_PORT",
        "GATEWAY_PUBLISH_SECONDS",
        "GATEWAY_REQUESTS",
        "GATEWAY_UNVOUCHED_PER_SECOND",
        "HEALTH_HOST",
        "HEALTH_PORT",
        "JOB_TTL_SECONDS",
        "KEEP_BODIES_DAYS",
        "KEEP_MEDIA_DAYS",
        "KEEP_PROMPTS_DAYS",
        "KEEP_STREAMS_DAYS",
        "KIE_API_KEY",
        "KIE_API_URL",
        "KIE_CREATES_PER_10S",
        "KIE_HMAC_KEYS",
        "KIE_SANDBOX",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "MEDIA_FROM_LOOPBACK",
        "MEDIA_HOSTS",
        "NATS_CREDS",
        "NATS_REPLICAS",
        "NATS_URL",
        "OPERATOR",
        "ORPHAN_TTL_SECONDS",
        "OTLP_ENDPOINT",
        "POLL_AFTER_SECONDS",
        "PUBLIC_URL",
        "SECRETS_DIR",
        "STORAGE",
        "TELEGRAM_API_URL",
        "TELEGRAM_SANDBOX",
        "TELEGRAM_SHARE",
        "TEST_DATABASE_URL",
        "TEST_NATS_URL",
        "TRACE_RATIO",
        "USER_JOBS_PER_MINUTE",
        "USER_OPEN_HOLDS",
        "USER_OPEN_JOBS",
    }
)


class SettingsError(Exception):
    """Everything wrong with the environment at once, one line each, without any secret's value."""

    def __init__(self, problems: list[str]) -> None:
        """Take the readable lines."""
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"the settings are not right:\n{lines}")
        self.problems = tuple(problems)


class ServiceSettings(BaseSettings):
    """What every service reads; services add their own fields, each with a description."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True
    )

    nats_url: str = Field(
        default="nats://127.0.0.1:4222",
        repr=False,  # may hold a password; also what lets it come from a file
        description="Address of NATS, several separated by commas.",
    )
    nats_creds: Path | None = Field(
        default=None,
        description="File with what NATS asks for: the seed of an nkey, or JWT and key (.creds).",
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="console for people, json for machines."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe line that is written."
    )
    health_host: str = Field(
        default="127.0.0.1", description="Address that /livez, /readyz and /metrics listen on."
    )
    health_port: int = Field(
        default=0, ge=0, le=65535, description="Its port; 0 takes a free one and logs it."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Collector that traces are sent to, OTLP over HTTP; without it none are made.",
    )
    trace_ratio: float = Field(
        default=1.0, ge=0.0, le=1.0, description="Share of all traces that is recorded."
    )

    # By field, the file that its value came from.
    _files: dict[str, str] = PrivateAttr(default_factory=dict)

    def model_post_init(self, _context: object, /) -> None:
        """Remember which values came from files, which may be replaced."""
        for field_name, field in type(self).model_fields.items():
            path = os.environ.get(f"{PREFIX}{field_name.upper()}{FILE}", "")
            if path and _is_secret(field) and _read(path) == _plain(getattr(self, field_name)):
                self._files[field_name] = path

    def current(self, field_name: str) -> str:
        """Return a secret as its file has it now; one from nowhere, or that cannot be read, as it was."""
        path = self._files.get(field_name)
        now = _read(path) if path else None
        return now or _plain(getattr(self, field_name))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is given
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is given
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the environment, then `…_FILE`."""
        return init_settings, env_settings, _SecretFiles(settings_cls)


class _SecretFiles(PydanticBaseSettingsSource):
    """Values of secret fields from the files that `SENDONCE_<NAME>_FILE` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Read one field's file, if the field is a secret and a file is named."""
        path = os.environ.get(f"{PREFIX}{field_name.upper()}{FILE}", "")
        value = _read(path) if path and _is_secret(field) else None
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read every field's file."""
        fields = self.settings_cls.model_fields.items()
        values = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in values.items() if value is not None}


S = TypeVar("S", bound=ServiceSettings)


def load(cls: type[S]) -> S:
    """Read the environment; raise `SettingsError` naming everything that is wrong with it."""
    environ = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    problems = _name_problems(cls, environ) + _file_problems(cls, environ)
    loaded: S | None = None
    try:
        loaded = cls()
    except ValidationError as invalid:
        problems += _value_problems(cls, invalid, environ)
    if problems or loaded is None:
        raise SettingsError(problems)
    return loaded


def _name_problems(cls: type[ServiceSettings], environ: Mapping[str, str]) -> list[str]:
    known = KNOWN_NAMES | {field.upper() for field in cls.model_fields}
    known |= {name + FILE for name in known}
    problems = []
    for name in sorted(set(environ) - {PREFIX + name for name in known}):
        # Without the prefix: it is the same in all, and would make any two alike.
        near = difflib.get_close_matches(name.removeprefix(PREFIX), known, n=1, cutoff=0.6)
        hint = f"did you mean {PREFIX}{near[0]}?" if near else "remove it, no service reads it"
        problems.append(f"{name}: unknown name; {hint}")
    return problems


def _file_problems(cls: type[ServiceSettings], environ: Mapping[str, str]) -> list[str]:
    problems = []
    for name, field in cls.model_fields.items():
        plain = PREFIX + name.upper()
        path = environ.get(plain + FILE)
        if not path:
            continue
        if not _is_secret(field):
            problems.append(f"{plain}{FILE}: only secrets are read from files; set {plain}")
        elif environ.get(plain):
            problems.append(f"{plain}{FILE}: {plain} is set too; keep one of them")
        elif _read(path) is None:
            problems.append(f"{plain}{FILE}: the file cannot be read; check its path and rights")
    return problems


def _value_problems(
    cls: type[ServiceSettings], invalid: ValidationError, environ: Mapping[str, str]
) -> list[str]:
    problems = []
    for error in invalid.errors(include_url=False, include_context=False):
        field_name = str(error["loc"][0]) if error["loc"] else ""
        field = cls.model_fields.get(field_name)
        name = PREFIX + field_name.upper() if field is not None else "settings"
        if error["type"] == "missing" and environ.get(name + FILE):
            continue  # the unreadable file is said already
        about = f" ({field.description})" if field is not None and field.description else ""
        value = environ.get(name, "")
        problems.append(f"{name}: {_problem(error['type'], error['msg'], value)}{about}")
    return problems


def _problem(kind: str, said: str, value: str) -> str:
    if kind == "missing":
        return "is required; set it"
    if value.startswith("tcp://"):
        return (
            "holds a tcp:// address; Kubernetes service links put it there: rename the Service or "
            "set enableServiceLinks: false"
        )
    said = said.removeprefix("Value error, ")
    # A validator may quote what it was given.
    return said.replace(value, "…") if len(value) > 3 else said  # noqa: PLR2004 - shorter ones are no secrets


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _is_secret(field: FieldInfo) -> bool:
    return "SecretStr" in str(field.annotation) or not field.repr


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
