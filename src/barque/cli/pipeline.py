"""Commands about the pipeline of a project."""

from itertools import islice
from typing import Annotated

import typer

from barque.cli.app import Group
from barque.cli.context import project_at, service_at
from barque.cli.deploying import Ref, built_and_rolled_out
from barque.cli.output import run, show
from barque.cli.parameters import At, FollowOrNot, Limit, OfProject

group = Group("See what is built and deployed in a project, and do both in one.")
Service = Annotated[str | None, typer.Option("--only", help="Only this service (its slug).")]
Env = Annotated[str | None, typer.Option("--env", "-e", help="Only in this environment.")]
_FIGURES = ("total", "succeeded", "failed", "success_rate", "median_seconds", "p95_seconds")


@group.alone
@group.add("status")
def status(project: OfProject = None, only: Service = None, env: Env = None) -> None:
    """Show where each service of a project stands."""
    found = project_at(project).pipeline_status(service=only, env=env)
    if run.json:
        show(found)
        return
    rows = [
        {
            "env": one["env"], "service": one["service"],
            **{
                kind: f"{latest.get('version', '')} {latest['status']}".strip() if latest else None
                for kind, latest in (
                    ("image", one["latest_image"]), ("release", one["latest_release"]),
                    ("deployment", one["latest_deployment"]),
                )
            },
            "queued": one["queued_builds"] + one["queued_deployments"],
        }
        for one in found["services"]
    ]  # fmt: skip
    columns = ("env", "service", "image", "release", "deployment", "queued")
    show(rows, columns, "no services yet: 'barque services create ORG/PROJECT/ENV NAME'")


@group.add("metrics")
def metrics(project: OfProject = None, only: Service = None, env: Env = None) -> None:
    """Show how builds and deployments fared lately, and how long they took."""
    found = project_at(project).pipeline_metrics(service=only, env=env)
    if run.json:
        show(found)
        return
    days = f"last {found['window_days']} days"
    rows = [{days: "builds", **found["builds"]}, {days: "deployments", **found["deployments"]}]
    show(rows, (days, *_FIGURES))


@group.add("history")
def history(
    project: OfProject = None, only: Service = None, env: Env = None, limit: Limit = 20
) -> None:
    """List what was built and deployed, newest first."""
    found = project_at(project).pipeline_history(service=only, env=env, per_page=min(limit, 100))
    columns = ("kind", "env", "service", "version", "status", "trigger", "actor", "created")
    show(list(islice(found, limit)), columns, "nothing yet: 'barque pipeline deploy'")


@group.add("deploy")
def deploy(ref: Ref = None, at: At = None, follow: FollowOrNot = True) -> None:
    """Build, release and roll out, in one."""
    service = service_at(at)
    built_and_rolled_out(service, service.build_and_deploy(ref), follow)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="pipeline", rich_help_panel="Deploy")
