"""The job store's environment, read here and nowhere else."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chassis.settings import ServiceSettings
from kie import callback_keys


class Settings(ServiceSettings):
    """What the job store reads."""

    storage: Literal["postgres", "json"] = Field(
        default="postgres",
        description="postgres, or json: a journal in DATA_DIR, for one job-store and no database.",
    )
    data_dir: Path = Field(
        default=Path(".sendonce"), description="Where the journal of the JSON storage is kept."
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        validate_default=True,
        description="Address of Postgres, postgresql://user:password@host:port/name.",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Where KIE reaches the callback gateway. Without it every result is found by polling.",
    )
    callback_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys that sign callback URLs, kid:base64[,kid:base64]; the first signs, all are accepted.",
    )
    bot_token: SecretStr | None = Field(
        default=None, description="When set, a bot named default is made if it is missing."
    )
    telegram_share: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="Share of a bot's calls that sendonce may make; the whole is 29 a second.",
    )
    kie_creates_per_10s: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="createTask calls per KIE account in 10 s; KIE refuses more than 20.",
    )
    poll_after_seconds: float = Field(
        default=30,
        gt=0,
        le=3600,
        description="Silence after which KIE is asked about a task; 3 is right without PUBLIC_URL.",
    )
    job_ttl_seconds: float = Field(
        default=3600,
        gt=0,
        description="Time a result may take before the job expires and its hold is released;"
        " three quarters of it to begin the submission.",
    )
    orphan_ttl_seconds: float = Field(
        default=3600,
        gt=0,
        description="Time a callback may wait for its job before it counts as expired.",
    )

    @field_validator("database_url")
    @classmethod
    def _is_named_where_it_is_used(cls, value: SecretStr, told: ValidationInfo) -> SecretStr:
        if told.data.get("storage") == "postgres" and not value.get_secret_value():
            kind, said = "missing", "Field required"
            raise PydanticCustomError(kind, said)
        return value

    @field_validator("callback_keys")
    @classmethod
    def _are_callback_keys(cls, value: SecretStr) -> SecretStr:
        callback_keys.read(value.get_secret_value())
        return value

    def signing_key(self) -> tuple[str, bytes] | None:
        """Return the key id and key that sign new callback URLs."""
        keys = callback_keys.read(self.callback_keys.get_secret_value())
        return next(iter(keys.items()), None)

    @property
    def poll_after(self) -> timedelta:
        """The wait before the first poll; short when polling is all there is."""
        seconds = self.poll_after_seconds
        if self.public_url is None and "poll_after_seconds" not in self.model_fields_set:
            seconds = 3
        return timedelta(seconds=seconds)
