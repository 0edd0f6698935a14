"""The platform, assembled: every part made once, from the settings."""

import logging
import os
from typing import Any

from barque.accounts.keys import Keys
from barque.accounts.service import administrator_key
from barque.builders.buildkit import BuildKitBuilder
from barque.builders.port import Builder
from barque.config.service import Config
from barque.deployments.journal import Journal
from barque.deployments.rollout import KIND as DEPLOY
from barque.deployments.rollout import Rollouts
from barque.git.cli import GitSource
from barque.git.port import Source
from barque.images.build import KIND, Builds
from barque.logs.collector import Collector
from barque.logs.store import LogStore
from barque.pipeline.workflows import Pipeline
from barque.processes.instances import Instances
from barque.processes.supervisor import Supervisor
from barque.routing.haproxy import HAProxyRouter
from barque.routing.port import Router
from barque.runtimes.docker import DockerRuntime
from barque.runtimes.port import Runtime
from barque.services.place import Places
from barque.settings import DEFAULT_ENGINE, Settings
from barque.store.cache import Cache
from barque.store.database import Database
from barque.system.metrics import RequestMetrics
from barque.vault import Vault, load_master_key, write_private


class Platform:
    """Everything that endpoints work with."""

    def __init__(self, settings: Settings) -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.settings = settings
        # Each probe of a health check would be a line of the log.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self.api_document: dict[str, Any] = {}
        self.database = Database(settings.store_url)
        self.cache = Cache(self.database)
        self.keys = Keys(self.database, self.cache)
        self.places = Places(self.database, self.cache)
        key_file = settings.data_dir / "secret.key"
        self.vault = Vault(load_master_key(key_file, settings.secret_key))
        self.config = Config(self.vault)
        self.logs = LogStore(settings.data_dir / "logs.db")
        engine = settings.docker_host or DEFAULT_ENGINE
        self.runtime: Runtime = DockerRuntime(engine)
        self.builder: Builder = BuildKitBuilder(engine, settings.data_dir / "builder")
        self.source: Source = GitSource(settings.git_base_url, settings.ca_bundle)
        self.pipeline = Pipeline(settings.workflow_url)
        self.builds = Builds(self)
        self.requests = RequestMetrics()
        self.id = self.vault.identity()
        self.collector = Collector(self.runtime, self.logs)
        self.instances = Instances(self)
        journal = Journal(self)
        self.rollouts = Rollouts(self, self.instances, journal)
        self.supervisor = Supervisor(self, self.instances, journal)
        self.router: Router = HAProxyRouter(
            settings.data_dir / "router", settings.apps_host, settings.apps_port
        )
        self.pipeline.register(KIND, self.builds.carry_out)
        self.pipeline.register(DEPLOY, self.rollouts.carry_out)

    async def start(self) -> None:
        """Make the tables, and at the first start the administrator's key (a file, 0600)."""
        await self.database.create_tables()
        async with self.database.write() as session:
            key = await administrator_key(session)
            if key is not None:
                write_private(self.settings.admin_key_file, f"{key}\n".encode())
        await self.pipeline.start()
        await self.rollouts.resume()
        await self.builds.resume()
        self.supervisor.start()

    async def stop(self) -> None:
        """End at once: unfinished work is carried on by the next process, as after a crash."""
        await self.database.close()
        os._exit(0)
