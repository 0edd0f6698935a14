"""One service: releases, deployments, and what runs of it."""

from collections.abc import Mapping
from typing import Unpack

from barque.client.builds import Builds
from barque.client.output import OnGap, lines_of, report_gap, rows_of
from barque.client.sessions import Dialogue
from barque.client.shapes import (
    ChangedService,
    DeployAnswer,
    DeploymentLog,
    DeploymentView,
    Line,
    PipelineAnswer,
    ProcessView,
    ReleaseDiff,
    ReleaseView,
    ResolvedView,
    RunAnswer,
    ScaleAnswer,
    ServiceView,
)
from barque.client.verbs import C, dialogue, stream, verb
from barque.client.work import Stream, Work

# Seconds that the platform may need around a command, beside the command's own.
_AROUND = 60


class Service(Builds[C]):
    """One service."""

    @verb
    def get(self) -> Work[ServiceView]:
        """Show the service."""
        return self._ask("GET")

    @verb
    def update(self, **fields: Unpack[ChangedService]) -> Work[ServiceView]:
        """Change the service; its slug stays."""
        return self._ask("PATCH", "", fields)

    @verb
    def resolved_config(self) -> Work[list[ResolvedView]]:
        """Show the merged config, each variable with the level it came from."""
        return self._ask("GET", "/config/resolved")

    @verb
    def lock(self, reason: str) -> Work[ServiceView]:
        """Stop deployments of it until it is unlocked."""
        return self._ask("POST", "/lock", {"reason": reason})

    @verb
    def unlock(self) -> Work[ServiceView]:
        """Let it be deployed again."""
        return self._ask("DELETE", "/lock")

    @verb
    def releases(self) -> Work[list[ReleaseView]]:
        """List the 50 newest releases."""
        return self._ask("GET", "/releases")

    @verb
    def release(self, version: int) -> Work[ReleaseView]:
        """Show a release."""
        return self._ask("GET", f"/releases/{version}")

    @verb
    def release_diff(self, version: int, base: int) -> Work[ReleaseDiff]:
        """Show what a release changed since the release `base`."""
        return self._ask("GET", f"/releases/{version}/diff/{base}")

    @verb
    def release_log(self, version: int) -> Work[DeploymentLog]:
        """Show what a release was made of, and what its release command wrote."""
        return self._ask("GET", f"/releases/{version}/log")

    @verb
    def deploy(self, image_version: int | None = None) -> Work[DeployAnswer]:
        """Release an image (the newest, unless one is named) and roll it out."""
        body = {"image_version": image_version} if image_version else {}
        return self._start("/deploy", body)

    @verb
    def deploy_preview(self, image_version: int | None = None) -> Work[ReleaseDiff]:
        """Show what a deployment would change of what serves."""
        return self._ask("GET", "/deploy/preview", image_version=image_version)

    @verb
    def build_and_deploy(self, ref: str | None = None) -> Work[PipelineAnswer]:
        """Build (or fetch the image of) the service, release that, and roll it out, in one."""
        project, _, rest = self.path.partition("/envs/")
        env, _, service = rest.split("/")
        body = {"env": env, "service": service, **({"ref": ref} if ref else {})}
        return Service(self.connection, project)._start("/pipeline/deploy", body)

    @verb
    def rollback(self, release_version: int | None = None) -> Work[DeployAnswer]:
        """Roll an earlier release out again: the last that was live before, unless one is named."""
        body = {"release_version": release_version} if release_version else {}
        return self._start("/rollback", body)

    @verb
    def rollback_preview(self, release_version: int | None = None) -> Work[ReleaseDiff]:
        """Show what a rollback would change of what serves."""
        return self._ask("GET", "/rollback/preview", release_version=release_version)

    @verb
    def restart(self) -> Work[DeployAnswer]:
        """Replace every instance by a new one, without a dropped request."""
        return self._start("/restart", {})

    @verb
    def scale(self, counts: Mapping[str, int]) -> Work[ScaleAnswer]:
        """Change how many instances run."""
        return self._start("/scale", {"process_counts": dict(counts)})

    @stream
    def deployments(self, *, per_page: int = 100) -> Stream[DeploymentView]:
        """List the deployments, newest first."""
        return self._pages("/deployments", per_page)

    @verb
    def deployment(self, deployment_id: str) -> Work[DeploymentView]:
        """Show a deployment."""
        return self._ask("GET", f"/deployments/{deployment_id}")

    @verb
    def deployment_log(self, deployment_id: str) -> Work[DeploymentLog]:
        """Show what a deployment said."""
        return self._ask("GET", f"/deployments/{deployment_id}/log")

    @stream
    def follow_deployment(self, deployment_id: str) -> Stream[str]:
        """Follow what a deployment says to its end, line by line."""
        return self._events(f"/deployments/{deployment_id}/log", lines_of)

    @verb
    def cancel(self, deployment_id: str) -> Work[DeploymentView]:
        """Cancel a deployment that has not switched yet."""
        return self._ask("POST", f"/deployments/{deployment_id}/cancel")

    @verb
    def processes(self) -> Work[list[ProcessView]]:
        """List the running instances."""
        return self._ask("GET", "/processes")

    @verb
    def run(self, command: str, timeout: int = 300) -> Work[RunAnswer]:
        """Run a one-off command in a new container of the live release."""
        body = {"command": command, "timeout": timeout}
        return self._ask("POST", "/run", body, timeout=timeout + _AROUND)

    @dialogue
    def open_run(
        self, command: str | None = None, *, size: tuple[int, int] | None = None
    ) -> Dialogue:
        """Run a one-off command (else a shell) as `run` does, as a `Session`.

        With a size, rows and columns, it has a terminal. The container is removed at the end.
        """
        return self._dialogue("/run/session", command, size)

    @verb
    def exec(
        self, command: str, *, process: str = "web", index: int | None = None, timeout: int = 300
    ) -> Work[RunAnswer]:
        """Run a command inside of an instance that runs: the first, unless one is named."""
        body = {"command": command, "process": process, "index": index, "timeout": timeout}
        return self._ask("POST", "/exec", body, timeout=timeout + _AROUND)

    @dialogue
    def open_exec(
        self, command: str | None = None, *, process: str = "web", index: int | None = None,
        size: tuple[int, int] | None = None,
    ) -> Dialogue:  # fmt: skip
        """Run a command (else a shell) inside of an instance as `exec` does, as a `Session`.

        With a size, rows and columns, it has a terminal. It is ended where the session is left.
        """
        return self._dialogue("/exec/session", command, size, process=process, index=index)

    @verb
    def logs(
        self, *, process: str | None = None, since: str | None = None, until: str | None = None,
        search: str | None = None, tail: int | None = None,
    ) -> Work[list[Line]]:  # fmt: skip
        """Show what instances wrote.

        `process`, `since` and `until` (RFC 3339), `search` (plain text) and `tail` narrow it.
        """
        found = yield from self._ask(
            "GET", "/logs", process=process, since=since, until=until, search=search, tail=tail
        )
        return list(found["lines"])

    @stream
    def follow_logs(
        self, on_gap: OnGap = report_gap, *, process: str | None = None,
        since: str | None = None, until: str | None = None, search: str | None = None,
        tail: int | None = None,
    ) -> Stream[Line]:  # fmt: skip
        """Follow what instances write, narrowed as by `logs`, each line once.

        Where lines are no longer kept, `on_gap` is called with how many, or None when nobody
        knows; without one, a warning is logged.
        """
        return self._events(
            "/logs", rows_of(on_gap), process=process, since=since, until=until, search=search,
            tail=tail,
        )  # fmt: skip
