"""The job store's environment, read here and nowhere else."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chassis.settings import ServiceSettings
from job_store.domain.intake import Allowance, Quota
from job_store.domain.rules import Ages
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

    user_jobs_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Jobs one user of a bot may ask for in a minute on average, half of them at once."
        " Without it any number.",
    )
    user_open_jobs: int | None = Field(
        default=None,
        ge=1,
        description="Jobs of one user that may be worked on at once. Without it any number.",
    )
    user_open_holds: int | None = Field(
        default=None,
        ge=1,
        description="Of these, how many may hold money. Without it any number.",
    )
    bot_jobs_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=10_000_000,
        description="The same for all users of a bot together. Without it any number.",
    )
    bot_open_jobs: int | None = Field(
        default=None, ge=1, description="As above, of a bot. Without it any number."
    )
    bot_open_holds: int | None = Field(
        default=None, ge=1, description="As above, of a bot. Without it any number."
    )

    keep_prompts_days: float = Field(
        default=30,
        ge=0,
        le=36_500,
        description="Days after a job's end for which what was asked is kept, and what was said about it;"
        " 0 keeps it for ever.",
    )
    keep_media_days: float = Field(
        default=30,
        ge=0,
        le=36_500,
        description="Days after a job's end for which its result's links, files and texts are kept, and for"
        " which one waits for its user; 0 keeps them for ever.",
    )
    keep_bodies_days: float = Field(
        default=30,
        ge=0,
        le=36_500,
        description="Days for which the raw bodies of callbacks, polls and dead letters are kept; 0 keeps"
        " them for ever.",
    )
    keep_streams_days: float = Field(
        default=7,
        ge=0,
        le=36_500,
        description="Days for which streams keep what has been applied, for a restore of Postgres; 0 keeps"
        " it while there is room.",
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

    def database_address(self) -> str:
        """Return where Postgres is and who we are there, as its file says now."""
        return self.current("database_url")

    def signing_key(self) -> tuple[str, bytes] | None:
        """Return the key id and key that sign new callback URLs."""
        keys = callback_keys.read(self.callback_keys.get_secret_value())
        return next(iter(keys.items()), None)

    @property
    def quota(self) -> Quota:
        """How much users and bots may ask for."""
        return Quota(
            user=Allowance(
                jobs_per_minute=self.user_jobs_per_minute,
                open_jobs=self.user_open_jobs,
                open_holds=self.user_open_holds,
            ),
            bot=Allowance(
                jobs_per_minute=self.bot_jobs_per_minute,
                open_jobs=self.bot_open_jobs,
                open_holds=self.bot_open_holds,
            ),
        )

    @property
    def ages(self) -> Ages:
        """How long content is kept in Postgres."""
        return Ages(
            prompts=_days(self.keep_prompts_days),
            media=_days(self.keep_media_days),
            bodies=_days(self.keep_bodies_days),
        )

    @property
    def keep_streams(self) -> timedelta | None:
        """How long streams keep what has been applied."""
        return _days(self.keep_streams_days)

    @property
    def poll_after(self) -> timedelta:
        """The wait before the first poll; short when polling is all there is."""
        seconds = self.poll_after_seconds
        if self.public_url is None and "poll_after_seconds" not in self.model_fields_set:
            seconds = 3
        return timedelta(seconds=seconds)


def _days(days: float) -> timedelta | None:
    return timedelta(days=days) if days else None
