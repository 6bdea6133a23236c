"""The gateway's environment, read here and nowhere else."""

import re
from datetime import timedelta
from typing import Final

from pydantic import Field, SecretStr, field_validator

from callback_gateway.domain.bucket import Rate
from chassis.settings import ServiceSettings
from kie import callback_keys

# With the least rate that is allowed one callback is a burst.
BURST_SECONDS: Final = 10
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_.@-]{1,100}", re.ASCII)


class Settings(ServiceSettings):
    """What the callback gateway reads."""

    gateway_host: str = Field(
        default="127.0.0.1", description="Address the public callback port listens on."
    )
    gateway_port: int = Field(
        default=8080, ge=0, le=65535, description="The public callback port; 0 takes a free one."
    )
    callback_keys: SecretStr = Field(
        default=SecretStr(""),
        description=(
            "Keys that sign callback URLs, kid:base64[,kid:base64]; at least 16 bytes each. "
            "Without any, every token is stored as untrusted."
        ),
    )
    kie_hmac_keys: SecretStr = Field(
        default=SecretStr(""),
        description=(
            "Webhook HMAC keys of KIE accounts, account:key[,account:key]; "
            "an account may stand twice while its key is being replaced."
        ),
    )
    gateway_requests: int = Field(
        default=256, ge=1, description="Callbacks answered at once; more get 503 and Retry-After."
    )
    gateway_connections: int = Field(
        default=1024,
        ge=1,
        description="Connections held at once; one more, and whoever has asked nothing for longest gets 503.",
    )
    gateway_unvouched_per_second: float = Field(
        default=20,
        ge=0.1,
        allow_inf_nan=False,
        description=(
            "Callbacks without a valid token or webhook signature that one gateway stores in a "
            "second, ten seconds' worth at once; more get 429 and Retry-After. Each replica counts its own."
        ),
    )
    gateway_body_seconds: float = Field(
        default=10, gt=0, le=60, description="Time a body may take to arrive; then 408."
    )
    gateway_body_bytes: int = Field(
        default=16 * 2**20,
        ge=512 * 2**10,
        description="Bytes of a body that are read and digested; the first 256 KiB are kept.",
    )
    gateway_publish_seconds: float = Field(
        default=8, gt=0, le=14, description="Time the bus has to store a callback; then 503."
    )

    @field_validator("callback_keys")
    @classmethod
    def _are_callback_keys(cls, value: SecretStr) -> SecretStr:
        callback_keys.read(value.get_secret_value())
        return value

    @field_validator("kie_hmac_keys")
    @classmethod
    def _are_hmac_keys(cls, value: SecretStr) -> SecretStr:
        form = "account:key[,account:key]"
        for account, key in callback_keys.pairs(value.get_secret_value(), form=form):
            if not _ACCOUNT.fullmatch(account) or not key:
                raise ValueError("must be account:key[,account:key], without empty parts")
        return value

    def token_keys(self) -> dict[str, bytes]:
        """Return the callback keys by key id."""
        return callback_keys.read(self.callback_keys.get_secret_value())

    def hmac_keys(self) -> dict[str, tuple[bytes, ...]]:
        """Return the HMAC keys by account, in the order they stand in."""
        keys: dict[str, tuple[bytes, ...]] = {}
        for account, key in callback_keys.pairs(self.kie_hmac_keys.get_secret_value(), form=""):
            keys[account] = (*keys.get(account, ()), key.encode())
        return keys

    @property
    def unvouched(self) -> Rate:
        """How much of what nobody vouches for is stored."""
        rate = self.gateway_unvouched_per_second
        return Rate(per_second=rate, burst=BURST_SECONDS * rate)

    @property
    def body_deadline(self) -> timedelta:
        """Time a body may take."""
        return timedelta(seconds=self.gateway_body_seconds)

    @property
    def publish_patience(self) -> timedelta:
        """Time the bus has."""
        return timedelta(seconds=self.gateway_publish_seconds)
