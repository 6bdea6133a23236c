"""What the environment may say to the submitter; the only reader of it."""

from pathlib import Path

from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    kie_api_url: str = Field(
        default="https://api.kie.ai", description="Address of KIE's API.", pattern=r"^https?://"
    )
    kie_api_key: SecretStr | None = Field(
        default=None, description="Key of the KIE account that bots call `default`."
    )
    secrets_dir: Path | None = Field(
        default=None,
        description="Directory with one file per further KIE account, named as bots do.",
    )
    kie_creates_per_10s: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="createTask calls per KIE account in 10 s; KIE refuses more than 20.",
    )
