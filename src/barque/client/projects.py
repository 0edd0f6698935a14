"""One project: its environments, its pipeline, promotions and previews."""

from typing import Unpack

from barque.client.places import Place
from barque.client.shapes import (
    EnvironmentView,
    NewEnvironment,
    PipelineAnswer,
    PipelineEvent,
    PipelineMetrics,
    PipelineRequest,
    PipelineStatus,
    Preview,
    PreviewView,
    ProjectView,
    Promotion,
    PromotionAnswer,
    Renamed,
)
from barque.client.verbs import C, stream, verb
from barque.client.work import Stream, Work


class Project(Place[C]):
    """One project."""

    @verb
    def get(self) -> Work[ProjectView]:
        """Show the project."""
        return self._ask("GET")

    @verb
    def update(self, **fields: Unpack[Renamed]) -> Work[ProjectView]:
        """Rename the project; its slug stays."""
        return self._ask("PATCH", "", fields)

    @verb
    def envs(self) -> Work[list[EnvironmentView]]:
        """List its environments."""
        return self._ask("GET", "/envs")

    @verb
    def create_env(self, **fields: Unpack[NewEnvironment]) -> Work[EnvironmentView]:
        """Make an environment in it."""
        return self._ask("POST", "/envs", fields)

    @verb
    def pipeline_status(
        self, *, service: str | None = None, env: str | None = None
    ) -> Work[PipelineStatus]:
        """Tell where each service stands."""
        return self._ask("GET", "/pipeline/status", service=service, env=env)

    @verb
    def pipeline_metrics(
        self, *, service: str | None = None, env: str | None = None
    ) -> Work[PipelineMetrics]:
        """Tell how builds and deployments fared lately, and how long they took."""
        return self._ask("GET", "/pipeline/metrics", service=service, env=env)

    @stream
    def pipeline_history(
        self, *, service: str | None = None, env: str | None = None, per_page: int = 100
    ) -> Stream[PipelineEvent]:
        """Read what was built and deployed, newest first."""
        return self._pages("/pipeline/history", per_page, service=service, env=env)

    @verb
    def pipeline_deploy(self, **fields: Unpack[PipelineRequest]) -> Work[PipelineAnswer]:
        """Build a `service` of an `env`, release that, and roll it out, in one."""
        return self._start("/pipeline/deploy", fields)

    @verb
    def promote_preview(self, **fields: Unpack[Promotion]) -> Work[Preview]:
        """Show what a promotion would change."""
        return self._ask("GET", "/promote/preview", **fields)

    @verb
    def promote(self, **fields: Unpack[Promotion]) -> Work[PromotionAnswer]:
        """Deploy in `target_env` what is live in `source_env`."""
        return self._start("/promote", fields)

    @verb
    def previews(self) -> Work[list[PreviewView]]:
        """List the open pull requests, and the environments that they have."""
        return self._ask("GET", "/previews")
