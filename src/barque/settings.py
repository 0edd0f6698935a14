"""Every setting of the platform, in one typed place (contract: "Operating it")."""

import contextlib
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PlatformName = Literal["wind", "steam", "diesel", "stirling", "nuclear", "electric"]
PLATFORM_NAMES: tuple[PlatformName, ...] = get_args(PlatformName)

MEBIBYTE = 1024 * 1024
_USUAL_ENGINE = "unix:///var/run/docker.sock"


class PlatformBinding(BaseModel):
    """What one platform name stands for: a driver, its engine, and the limits of a container."""

    model_config = ConfigDict(extra="forbid")

    driver: Literal["docker"] = "docker"
    cpus: float = Field(default=1.0, gt=0, le=1024)
    memory_mb: int = Field(default=512, ge=8)
    pids: int = Field(default=512, ge=16)


_REFERENCE = r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$"


class BaseImage(BaseModel):
    """What images are made upon: `build` compiles and installs, `run` is what is shipped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str = Field(pattern=_REFERENCE)
    build: str = Field(pattern=_REFERENCE)

    @model_validator(mode="before")
    @classmethod
    def _from_one(cls, value: object) -> object:
        return {"run": value, "build": value} if isinstance(value, str) else value


BaseName = Annotated[
    str, Field(pattern=r"^(python|node|go):[0-9]{1,6}(\.[0-9]{1,6})?$|^(static|runtime)$")
]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


def _json(value: object) -> object:
    if isinstance(value, str):
        import json  # noqa: PLC0415 - only these seldom settings need it

        return json.loads(value)
    return value


class Settings(BaseSettings):
    """The platform's settings, each from an argument, `BARQUE_<NAME>`, or its default."""

    model_config = SettingsConfigDict(
        env_prefix="BARQUE_", populate_by_name=True, extra="forbid", env_ignore_empty=True
    )

    data_dir: Path = Field(default=Path(".barque"), description="Where everything is kept.")
    host: str = Field(default="127.0.0.1", description="The address of the API and dashboard.")
    port: int = Field(default=8000, ge=1, le=65535, description="The port of the API.")
    apps_host: str = Field(default="0.0.0.0", description="The address of the router.")  # noqa: S104 - services are for the world
    apps_port: int = Field(default=8080, ge=1, le=65535, description="The port of the router.")
    apps_domain: str = Field(default="localhost", description="What services' names end in.")
    database_url: str | None = Field(
        default=None, description="SQLAlchemy address; without it, SQLite in the data dir."
    )
    database_timeout: int = Field(
        default=30, ge=1, description="Seconds to wait for a database that is locked or gone."
    )
    git_base_url: str = Field(
        default="https://github.com", description="Repositories are fetched from here."
    )
    ca_bundle: Path | None = Field(
        default=None, description="Certificates to trust when fetching source, and in builds."
    )
    secret_key: str | None = Field(
        default=None, repr=False, description="Master key; without it, a file in the data dir."
    )
    docker_host: str | None = Field(
        default=None, validation_alias="DOCKER_HOST",
        description="The engine to use; without it, that of the last start with this data dir.",
    )  # fmt: skip
    platforms: Annotated[dict[PlatformName, PlatformBinding], NoDecode] = Field(
        default_factory=dict, description="JSON: platform name to its binding."
    )
    base_images: Annotated[dict[BaseName, BaseImage], NoDecode] = Field(
        default_factory=dict,
        description="JSON: what to build upon where there is no Dockerfile, by name and version.",
    )
    build_environment: Annotated[dict[VariableName, str], NoDecode] = Field(
        default_factory=dict,
        description="JSON: variables of every build, such as package indexes and proxies.",
    )
    debian_mirror: str | None = Field(
        default=None, description="Base images are made from here; without it, as this machine is."
    )
    build_concurrency: int = Field(default=2, ge=1, description="Builds that run at once.")
    build_timeout: int = Field(default=1800, ge=1, description="Seconds that a build may take.")
    upload_mb: int = Field(
        default=256, ge=1, le=65_536,
        description="MiB that an uploaded source may have, and a push.",
    )  # fmt: skip
    upload_unpacked_mb: int = Field(
        default=2048, ge=1, le=65_536, description="MiB that it may have once it is unpacked."
    )
    build_log_bytes: int = Field(
        default=4 * MEBIBYTE, ge=1024, description="Bytes of a build's log; the rest is left out."
    )
    deploy_concurrency: int = Field(default=8, ge=1, description="Rollouts that run at once.")
    stop_timeout: int = Field(default=30, ge=0, description="Seconds from SIGTERM to SIGKILL.")
    health_interval: int = Field(
        default=5, ge=1, description="Seconds between health checks of what is live."
    )
    readiness_delay: float = Field(
        default=1.0, ge=0, description="Seconds that a worker must have run to count as started."
    )
    drain_timeout: int = Field(
        default=30, ge=0, description="Seconds that requests in flight have to end."
    )
    images_kept: int = Field(
        default=10, ge=1, description="Images of each service that stay: the last built, released."
    )
    build_cache_mb: int = Field(
        default=10_240, ge=0, description="MiB that the engine's build cache is kept below."
    )
    prune_interval: int = Field(
        default=3600, ge=1, description="Seconds between removals of old images and build cache."
    )
    log_lines: int = Field(
        default=20_000, ge=1, description="Lines kept of each process type of a service."
    )
    log_bytes: int = Field(
        default=8 * MEBIBYTE, ge=65_536, description="Bytes kept of each, whichever is less."
    )
    webhook_secret: str | None = Field(
        default=None, repr=False, description="What GitHub signs its deliveries with."
    )
    webhook_allow_private: Annotated[list[IPvAnyNetwork], NoDecode] = Field(
        default_factory=list,
        description="JSON: networks that webhooks may reach beside the internet, or true for all.",
    )
    webhook_timeout: float = Field(
        default=10, gt=0, description="Seconds that a receiver of a webhook has to answer."
    )
    webhook_retry: float = Field(
        default=5, gt=0, description="Seconds to the first repeat of a webhook; each waits longer."
    )
    github_api_url: str = Field(default="https://api.github.com", description="GitHub's REST API.")
    github_app_id: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9._-]+$", description="The id of a GitHub App, to clone "
        "private repositories as and to report deployments as.",
    )  # fmt: skip
    github_app_private_key_file: Path | None = Field(
        default=None, description="A file with the App's private key, as GitHub gave it (PEM)."
    )
    github_app_orgs: Annotated[dict[str, list[str]] | None, NoDecode] = Field(
        default=None,
        description="JSON: GitHub account to the organizations that the App acts for there; "
        "without it, every organization gets at everything that the App is installed on.",
    )
    preview_limit: int = Field(
        default=10, ge=0, description="Preview environments that a project may have at once."
    )
    rate_limit: int = Field(
        default=6000, ge=0, le=1_000_000,
        description="Requests a minute of an API key that has no limit of its own; 0 for no limit.",
    )  # fmt: skip
    auth_failure_limit: int = Field(
        default=100, ge=0, le=1_000_000,
        description="Wrong API keys a minute from one address, which is then refused; 0 for all.",
    )  # fmt: skip
    session_hours: int = Field(
        default=24, ge=1, le=8760, description="Hours that a sign-in to the dashboard lasts."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What the platform writes about itself."
    )

    @field_validator(
        "platforms", "base_images", "build_environment", "github_app_orgs", mode="before"
    )
    @classmethod
    def _from_json(cls, value: object) -> object:
        return _json(value)

    @field_validator("webhook_allow_private", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        value = _json(value)
        return {True: ["0.0.0.0/0", "::/0"], False: []}[value] if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _absolute(self) -> "Settings":
        self.data_dir = self.data_dir.expanduser().resolve()
        return self

    @model_validator(mode="after")
    def _whole_app(self) -> "Settings":
        if (self.github_app_id is None) != (self.github_app_private_key_file is None):
            raise ValueError("github_app_id and github_app_private_key_file go together: set both")
        return self

    @property
    def store_url(self) -> str:
        """The database's address, with an asynchronous driver."""
        url = self.database_url or f"sqlite:///{self.data_dir / 'barque.db'}"
        for plain, driver in (
            ("postgres://", "postgresql+asyncpg://"),
            ("postgresql://", "postgresql+asyncpg://"),
            ("sqlite:///", "sqlite+aiosqlite:///"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url

    @property
    def engine(self) -> str:
        """The engine's address: what was said, what the last start used, or where it usually is.

        What runs is on the engine of the last start, whoever asks for it without saying where.
        """
        if self.docker_host is not None:
            return self.docker_host
        with contextlib.suppress(OSError):
            return self.engine_file.read_text().strip() or _USUAL_ENGINE
        return _USUAL_ENGINE

    @property
    def engine_file(self) -> Path:
        """Where a start leaves the address of the engine that it uses."""
        return self.data_dir / "engine.host"

    @property
    def master_key_file(self) -> Path:
        """Where the master key is kept, unless it is a setting."""
        return self.data_dir / "secret.key"

    @property
    def workflow_url(self) -> str:
        """The address of the database of durable work, with a synchronous driver."""
        if self.store_url.startswith("sqlite"):
            return f"sqlite:///{self.data_dir / 'workflows.db'}"
        return self.store_url.replace("postgresql+asyncpg://", "postgresql+psycopg://")

    @property
    def admin_key_file(self) -> Path:
        """Where the first start leaves the administrator's API key."""
        return self.data_dir / "admin.key"

    def platform(self, name: str) -> PlatformBinding:
        """Return the binding of a platform name; an unbound one has the default's."""
        return self.platforms.get(name, PlatformBinding())  # type: ignore[call-overload, no-any-return]

    def address_of(self, *slugs: str) -> str:
        """Return the host name of a service: `{svc}.{env}.{project}.{org}.{apps_domain}`."""
        return ".".join((*slugs, self.apps_domain))
