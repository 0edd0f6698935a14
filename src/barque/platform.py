"""The platform, assembled: every part made once, from the settings."""

import logging
import os
from typing import Any

import structlog

from barque.accounts.keys import Keys
from barque.accounts.limits import Limits
from barque.accounts.service import administrator_key
from barque.builders.buildkit import BuildKitBuilder
from barque.builders.port import Builder
from barque.config.service import Config
from barque.credentials.service import Credentials
from barque.deployments.journal import Journal
from barque.deployments.rollout import KIND as DEPLOY
from barque.deployments.rollout import Rollouts
from barque.git.cli import GitSource
from barque.git.port import Source
from barque.github.app import github_app
from barque.github.previews import Previews
from barque.github.reports import Reporter
from barque.images.build import KIND, Builds
from barque.images.pruning import Pruner
from barque.logs.collector import Collector
from barque.logs.file import Bounds
from barque.logs.store import LogStore
from barque.pipeline.workflows import Pipeline
from barque.processes.instances import Instances
from barque.processes.sessions import Sessions
from barque.processes.supervisor import Supervisor
from barque.pushes.repositories import Repositories
from barque.pushes.service import Pushes
from barque.routing.haproxy import HAProxyRouter
from barque.routing.port import Router
from barque.runtimes.docker import DockerRuntime
from barque.runtimes.port import Runtime, RuntimeUnavailable
from barque.services.place import Places
from barque.settings import MEBIBYTE, Settings
from barque.store.cache import Cache
from barque.store.database import Database
from barque.system.housekeeping import Housekeeping
from barque.system.metrics import RequestMetrics
from barque.uploads.archive import Bounds as UploadBounds
from barque.uploads.store import Uploads
from barque.vault import Vault, load_master_key, write_private
from barque.webhooks.delivering import Deliveries

log = structlog.get_logger()


class Platform:
    """Everything that endpoints work with."""

    def __init__(self, settings: Settings) -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.settings = settings
        # Each probe of a health check would be a line of the log.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self.api_document: dict[str, Any] = {}
        self.database = Database(settings.store_url, timeout=settings.database_timeout)
        self.cache = Cache(self.database)
        limits = Limits(settings.rate_limit, settings.auth_failure_limit)
        self.keys = Keys(self.database, self.cache, limits)
        self.places = Places(self.database, self.cache)
        self.vault = Vault(load_master_key(settings.master_key_file, settings.secret_key))
        self.config = Config(self.vault)
        bounds = Bounds(settings.log_lines, settings.log_bytes)
        self.logs = LogStore(settings.data_dir / "logs.db", bounds)
        engine = settings.engine
        self.runtime: Runtime = DockerRuntime(engine)
        self.builder: Builder = BuildKitBuilder(engine, settings.data_dir / "builder")
        self.source: Source = GitSource(
            settings.git_base_url, settings.data_dir / "known_hosts", settings.ca_bundle
        )
        unpacked = UploadBounds(settings.upload_unpacked_mb * MEBIBYTE)
        limit = settings.upload_mb * MEBIBYTE
        self.repositories = Repositories(settings.data_dir / "git", limit)
        self.pushes = Pushes()
        self.uploads = Uploads(settings.data_dir / "uploads", unpacked, limit)
        self.github = github_app(settings)
        self.credentials = Credentials(self)
        self.pipeline = Pipeline(settings.workflow_url)
        self.builds = Builds(self)
        self.pruner = Pruner(self)
        self.requests = RequestMetrics()
        self.id = self.vault.identity()
        self.collector = Collector(self.runtime, self.logs)
        self.instances = Instances(self)
        self.sessions = Sessions()
        journal = Journal(self)
        self.rollouts = Rollouts(self, self.instances, journal)
        self.supervisor = Supervisor(self, self.instances, journal)
        self.reporter = Reporter(self)
        self.previews = Previews(self)
        self.housekeeping = Housekeeping(self)
        self.webhooks = Deliveries(self)
        self.router: Router = HAProxyRouter(
            settings.data_dir / "router", settings.apps_host, settings.apps_port
        )
        self.pipeline.register(KIND, self.builds.carry_out)
        self.pipeline.register(DEPLOY, self.rollouts.carry_out)

    async def start(self) -> None:
        """Make the tables, and at the first start the administrator's key (a file, 0600)."""
        await self.database.migrate()
        async with self.database.write() as session:
            key = await administrator_key(session)
            if key is not None:
                write_private(self.settings.admin_key_file, f"{key}\n".encode())
        await self.pipeline.start()
        try:
            await self.rollouts.resume()
        except RuntimeUnavailable as error:
            # The machine starts, and the engine is later than the platform: supervision goes on.
            log.warning("what is live has to wait", reason=str(error))
        await self.builds.resume()
        self.supervisor.start()
        self.reporter.start()
        self.pruner.start()
        self.housekeeping.start()
        self.webhooks.start()

    async def stop(self) -> None:
        """End at once: unfinished work is carried on by the next process, as after a crash.

        Sessions are nobody's to carry on.
        """
        await self.sessions.end()
        await self.database.close()
        await self.logs.aclose()
        os._exit(0)
