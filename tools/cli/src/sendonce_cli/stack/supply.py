"""What `up` runs on: the given servers or embedded ones, the real outside or sandboxes, and the keys between them."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from job_store.app import STORE_ROLE, as_role
from sendonce_cli.keeping import callback_key, kept
from sendonce_cli.settings import STORE, Settings, given
from sendonce_cli.stack.servers import Addresses
from sendonce_cli.stack.services import START_ORDER, Wiring
from sendonce_cli.trouble import Trouble
from testkit.kie import SANDBOX_API_KEY
from testkit.ports import LOOPBACK, free_port, is_free
from testkit.processes import ServiceProcess, ServiceSpec, python_module

NATS_PORT, TELEGRAM_PORT, KIE_PORT = (
    4222,
    8081,
    8082,
)  # taken when free, so that addresses stay the same
SANDBOX_TOKEN: Final = "7000000001:" + "sandbox".ljust(35, "x")
REAL_KIE: Final = frozenset({"KIE_API_KEY", "KIE_API_KEY_FILE", "KIE_API_URL", "SECRETS_DIR"})
REAL_TELEGRAM: Final = frozenset({"BOT_TOKEN", "BOT_TOKEN_FILE", "TELEGRAM_API_URL", "SECRETS_DIR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Who plays KIE and Telegram."""

    kie_url: str | None  # of the sandbox; None: the real one
    telegram_url: str | None  # as above
    real_kie: str
    real_telegram: str
    gateway_url: str
    public_url: str | None
    hmac_key_file: Path
    callback_keys_file: Path


def outside(settings: Settings) -> Outside:
    """Decide who plays the outside; real keys mean the real one."""
    env = given()
    if not is_free(settings.gateway_port):
        raise Trouble(
            f"port {settings.gateway_port} is taken, the callback gateway needs it",
            hint="is another sendonce running? choose another port with SENDONCE_GATEWAY_PORT",
        )
    sandbox_kie = not REAL_KIE & env.keys()
    gateway_url = f"http://{LOOPBACK}:{settings.gateway_port}"
    return Outside(
        kie_url=_local(KIE_PORT) if sandbox_kie else None,
        telegram_url=None if REAL_TELEGRAM & env.keys() else _local(TELEGRAM_PORT),
        real_kie=env.get("KIE_API_URL", "https://api.kie.ai"),
        real_telegram=env.get("TELEGRAM_API_URL", "https://api.telegram.org"),
        gateway_url=gateway_url,
        public_url=settings.public_url or (gateway_url if sandbox_kie else None),
        hmac_key_file=settings.data_dir.resolve() / "sandbox-hmac-key",
        callback_keys_file=settings.data_dir.resolve() / "callback-keys",
    )


def wiring(settings: Settings, addresses: Addresses, around: Outside) -> Wiring:
    """Return what the services are told: what the environment says, and what is missing there."""
    env = given()
    told = {
        **env,
        "NATS_URL": addresses.nats_url,
        **addresses.kept_in(),
        "LOG_FORMAT": settings.log_format,
        "LOG_LEVEL": settings.log_level,
    }
    told.pop("HEALTH_PORT", None)  # one port cannot serve five
    if not {"CALLBACK_KEYS", "CALLBACK_KEYS_FILE"} & env.keys():
        told["CALLBACK_KEYS"] = kept(around.callback_keys_file, lambda: callback_key("up"))
    if around.public_url is not None:
        told["PUBLIC_URL"] = around.public_url
    if around.kie_url is not None:
        told |= {"KIE_API_URL": around.kie_url, "KIE_API_KEY": SANDBOX_API_KEY}
        told["KIE_HMAC_KEYS"] = (
            f"default:{kept(around.hmac_key_file, lambda: secrets.token_urlsafe(24))}"
        )
    if around.telegram_url is not None:
        told |= {"TELEGRAM_API_URL": around.telegram_url, "BOT_TOKEN": SANDBOX_TOKEN}
    if around.kie_url is not None or around.telegram_url is not None:
        told["MEDIA_FROM_LOOPBACK"] = "true"  # what a sandbox makes, and what `check` puts up
    # What is told by its value is not told by a file as well.
    spare = {f"{name}_FILE" for name in told if told[name] != env.get(name)}
    shared = {name: value for name, value in told.items() if name not in spare}
    return Wiring(shared=shared, own=rights(addresses))


def rights(addresses: Addresses) -> dict[str, dict[str, str]]:
    """Return by what each service is known to the embedded servers: the user or role it has in production."""
    own: dict[str, dict[str, str]] = {name: {} for name in START_ORDER}
    for name in START_ORDER:
        if (creds := addresses.creds(name)) is not None:
            own[name]["NATS_CREDS"] = str(creds)
    if addresses.embedded_postgres:
        own[STORE]["DATABASE_URL"] = as_role(addresses.database_url, STORE_ROLE)
    return own


def sandboxes(around: Outside, *, logs: Path) -> list[ServiceProcess]:
    """Return the sandboxes that play the outside, as processes not yet started."""
    made = []
    if around.telegram_url is not None:
        made.append(_sandbox("telegram", around.telegram_url, "/sim", logs=logs))
    if around.kie_url is not None:
        kept(around.hmac_key_file, lambda: secrets.token_urlsafe(24))
        key = ("--hmac-key-file", str(around.hmac_key_file))
        made.append(_sandbox("kie", around.kie_url, "/sim/switches", *key, logs=logs))
    return made


def nats_port() -> int | None:
    """Return NATS' own port when it is free, so that every command finds the system without being told."""
    return NATS_PORT if is_free(NATS_PORT) else None


def _sandbox(name: str, url: str, page: str, *arguments: str, logs: Path) -> ServiceProcess:
    port = url.rpartition(":")[2]
    return ServiceProcess(
        ServiceSpec(
            name=f"sandbox {name}",
            command=python_module(f"testkit.{name}", "--port", port, *arguments),
            log=logs / f"sandbox-{name}.log",
            ready_url=url + page,
        )
    )


def _local(port: int) -> str:
    return f"http://{LOOPBACK}:{port if is_free(port) else free_port()}"
