"""Commands that build and roll out: build, deploy, rollback, restart, promote."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from barque.cli.app import Group
from barque.cli.context import address_of, client, command_for, service_at
from barque.cli.differences import show_differences
from barque.cli.exits import Exit, fail
from barque.cli.output import hint, run, show
from barque.cli.parameters import At, FollowOrNot
from barque.cli.progress import follow_build, follow_deployment
from barque.client import Blocking, Service
from barque.client.shapes import PipelineAnswer

PANEL = "Deploy"
Ref = Annotated[str | None, typer.Option(help="A branch, tag or commit.")]
Image = Annotated[str | None, typer.Option(help="An image's version, or one to fetch: nginx:1.27.")]
Source = Annotated[Path | None, typer.Option(help="Upload this folder, build it, and deploy that.")]
Preview = Annotated[bool, typer.Option("--preview", help="Only show the changes.")]
Env = Annotated[str, typer.Argument(help="The environment's slug.")]
_NOTHING = "it would change nothing of what serves"


def build(ref: Ref = None, at: At = None, follow: FollowOrNot = True) -> None:
    """Build an image from the repository."""
    service = service_at(at)
    answer = service.build(ref)
    if follow:
        image = follow_build(service, answer["version"])
        show(image, ("version", "status", "commit_sha"))
    else:
        show(answer, ("version", "image_id"))
        _tell_where(service, f"images logs {answer['version']}")


def _tell_where(service: Service[Blocking], logs: str) -> None:
    if not run.json:
        hint(f"it goes on: '{command_for(service, logs)} --follow' shows how")


def rolled_out(service: Service[Blocking], answer: Mapping[str, Any], follow: bool) -> None:
    """Show a deployment that was begun, or follow it to its end."""
    if not follow:
        show(answer, ("release_version", "deployment_id"))
        _tell_where(service, f"deployments logs {answer['deployment_id']}")
        return
    row = follow_deployment(service, answer["deployment_id"])
    if run.json:
        show(row)


def built_and_rolled_out(service: Service[Blocking], answer: PipelineAnswer, follow: bool) -> None:
    """Show a build and the deployment after it that were begun, or follow both to their end."""
    if follow:
        follow_build(service, answer["image_version"])
    rolled_out(service, answer, follow)


def _upload(service: Service[Blocking], folder: Path) -> int:
    """Upload a folder, follow its build to the end, and return the image's version."""
    hint(f"packing and uploading {folder.resolve()}")
    version = service.upload(folder)["version"]
    return follow_build(service, version)["version"]


def deploy(
    image: Image = None, source: Source = None, at: At = None, preview: Preview = False,
    follow: FollowOrNot = True,
) -> None:  # fmt: skip
    """Release the newest image and roll it out.

    With --source, build a folder of yours first, to the end of that even with --detach. An image to
    fetch becomes the service's own.
    """
    service = service_at(at)
    if preview:
        if source is not None or not (image is None or image.isdecimal()):
            fail("--preview is of an image that is built: name its version", Exit.USAGE)
        show_differences(service.deploy_preview(int(image) if image else None), _NOTHING)
    elif source is not None:
        if image is not None:
            fail("--image names one that is built, --source builds one: choose", Exit.USAGE)
        rolled_out(service, service.deploy(_upload(service, source)), follow)
    elif image is None or image.isdecimal():
        rolled_out(service, service.deploy(int(image) if image else None), follow)
    else:
        if repository := service.get()["github_repository"]:
            fail(
                f"the service is built from its repository {repository}: 'barque services set "
                f"{address_of(at)} --image {image}' has it run an image instead"
            )
        service.update(image_reference=image)
        built_and_rolled_out(service, service.build_and_deploy(), follow)


def rollback(
    release: Annotated[int | None, typer.Option(help="A release's version.")] = None,
    at: At = None, preview: Preview = False, follow: FollowOrNot = True,
) -> None:  # fmt: skip
    """Go back to the release that was live before."""
    service = service_at(at)
    if preview:
        show_differences(service.rollback_preview(release), _NOTHING)
        return
    rolled_out(service, service.rollback(release), follow)


def restart(at: At = None, follow: FollowOrNot = True) -> None:
    """Replace every instance by a new one, without a dropped request."""
    service = service_at(at)
    rolled_out(service, service.restart(), follow)


def promote(
    source_env: Env, target_env: Env, at: At = None,
    preview: Preview = False,
    follow: FollowOrNot = True,
) -> None:  # fmt: skip
    """Deploy in one environment the image that is live in another."""
    parts = address_of(at).split("/")
    if len(parts) != 4:
        fail("name the service as org/project/env/service", Exit.USAGE)
    org, project, _, name = parts
    holder = client().project(f"{org}/{project}")
    move: dict[str, Any] = {"service": name, "source_env": source_env, "target_env": target_env}
    if preview:
        _preview(holder.promote_preview(**move))
        return
    target = client().service(f"{org}/{project}/{target_env}/{name}")
    rolled_out(target, holder.promote(**move), follow)


def _preview(said: Mapping[str, Any]) -> None:
    if run.json:
        show(said)
        return
    columns = ("env", "release_version", "image_version", "commit_sha", "image_digest")
    show([said["source"], said["target"]], columns)
    image = "the very image that is live there" if said["same_image"] else "another image"
    hint(f"\nit would bring {image}; config, by name:")
    show(said["config"], ("only_in_source", "only_in_target", "different", "same"))


def add_to(app: Group) -> None:
    """Add the commands."""
    for command in (build, deploy, rollback, restart, promote):
        app.add(command.__name__, PANEL)(command)
