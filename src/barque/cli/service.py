"""Commands about one service: build, deploy, scale, logs and the rest."""

import json
import re
import webbrowser
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from barque.cli.context import address_of, client, err, fail, linked, out, show
from barque.cli.system import Json
from barque.client import Blocking, Service

At = Annotated[str | None, typer.Option("--service", "-s", help="org/project/env/service")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Show it live, to its end.")]

_SPAN = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _service(at: str | None) -> Service[Blocking]:
    return client().service(address_of(at))


def _print(lines: Iterator[str], as_json: bool) -> None:
    # What is followed is for people: where JSON was asked for, only that goes to the output.
    console = err if as_json else out
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def build(
    ref: Annotated[str | None, typer.Option(help="A branch, tag or commit.")] = None,
    at: At = None, follow: Follow = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Build an image from the repository."""
    service = _service(at)
    answer = service.build(ref)
    if not follow:
        show(answer, ("version", "image_id"), as_json)
        return
    _print(service.follow_build(answer["version"]), as_json)
    image = service.image(answer["version"])
    show(image, ("version", "status", "commit_sha"), as_json)
    if image["status"] != "built":
        fail(f"image {image['version']}: {image['error_detail']}")


def _follow(
    service: Service[Blocking], answer: Mapping[str, Any], follow: bool, as_json: bool
) -> None:
    if not follow:
        show(answer, ("release_version", "deployment_id"), as_json)
        return
    _print(service.follow_deployment(answer["deployment_id"]), as_json)
    row = service.deployment(answer["deployment_id"])
    if as_json:
        show(row, (), as_json)
    if row["status"] not in ("live", "retired"):
        fail(f"the deployment is {row['status']}: {row['error_detail'] or 'see its log'}")


def _upload(service: Service[Blocking], folder: Path, as_json: bool) -> int:
    """Upload a folder, follow its build to the end, and return the image's version."""
    err.print(f"packing and uploading {folder.resolve()}", markup=False, soft_wrap=True)
    version = int(service.upload(folder)["version"])
    _print(service.follow_build(version), as_json)
    image = service.image(version)
    if image["status"] != "built":
        fail(f"image {version}: {image['error_detail']}")
    return version


def deploy(
    image: Annotated[
        str | None, typer.Option(help="An image's version, or one to fetch: nginx:1.27.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option(help="Upload this folder, build it, and deploy that.")
    ] = None,
    at: At = None, follow: Follow = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Release the newest image and roll it out.

    With --source, build a folder of yours first; an image to fetch becomes the service's own.
    """
    service = _service(at)
    if source is not None:
        if image is not None:
            fail("--image names one that is built, --source builds one: choose", 2)
        answer = service.deploy(_upload(service, source, as_json))
        follow = True
    elif image is None or image.isdecimal():
        answer = service.deploy(int(image) if image else None)
    else:
        service.update(image_reference=image)
        answer = service.build_and_deploy()
    _follow(service, answer, follow, as_json)


def rollback(
    release: Annotated[int | None, typer.Option(help="A release's version.")] = None,
    at: At = None, follow: Follow = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Go back to the release that was live before."""
    service = _service(at)
    _follow(service, service.rollback(release), follow, as_json)


def restart(at: At = None, follow: Follow = False, as_json: Json = False) -> None:
    """Replace every instance by a new one, without a dropped request."""
    service = _service(at)
    _follow(service, service.restart(), follow, as_json)


def promote(
    source_env: str, target_env: str, at: At = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only show the changes.")] = False,
    follow: Follow = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Deploy in one environment the image that is live in another."""
    org, project, _, name = address_of(at).split("/")
    known = client().project(f"{org}/{project}")
    if preview:
        said = known.promote_preview(service=name, source_env=source_env, target_env=target_env)
        show(said, ("service", "same_image", "config"), as_json)
        return
    answer = known.promote(service=name, source_env=source_env, target_env=target_env)
    _follow(_service(f"{org}/{project}/{target_env}/{name}"), answer, follow, as_json)


def scale(
    counts: Annotated[list[str], typer.Argument(help="web=3 worker=1 ...")],
    at: At = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Change how many instances run."""
    if wrong := [one for one in counts if not re.fullmatch(r"[^=]+=\d+", one)]:
        fail(f"'{wrong[0]}' is not type=count", 2)
    wanted = {name: int(count) for name, count in (one.split("=") for one in counts)}
    show(_service(at).scale(wanted), ("process_counts",), as_json)


def ps(at: At = None, as_json: Json = False) -> None:
    """List the running instances."""
    columns = ("type", "index", "state", "release", "started", "restarts", "cpu", "memory")
    show(_service(at).processes(), columns, as_json)


def releases(at: At = None, as_json: Json = False) -> None:
    """List the newest releases."""
    show(_service(at).releases(), ("version", "status", "commit_sha", "created"), as_json)


def deployments(at: At = None, as_json: Json = False) -> None:
    """List the newest deployments."""
    columns = ("id", "status", "trigger", "actor", "created")
    show(list(islice(_service(at).deployments(per_page=20), 20)), columns, as_json)


def logs(
    process: Annotated[str | None, typer.Option(help="Of one process type.")] = None,
    since: Annotated[str | None, typer.Option(help="10m, 2h, 1d (ago), or a moment.")] = None,
    until: Annotated[str | None, typer.Option(help="Before then, said likewise.")] = None,
    search: Annotated[str | None, typer.Option(help="With this text, in any case.")] = None,
    tail: Annotated[int, typer.Option(help="The last lines.")] = 100,
    at: At = None, follow: Follow = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Show what the instances wrote."""
    service, moments = _service(at), {"since": _moment(since), "until": _moment(until)}
    query: dict[str, Any] = {"process": process, "search": search, "tail": tail, **moments}
    if as_json and not follow:
        show(service.logs(**query), (), as_json)
        return
    rows = service.follow_logs(_print_gap, **query) if follow else service.logs(**query)
    for row in rows:
        # What is followed has no end to close a list with: one row a line.
        text = f"{row['at'][:19]} {row['process']}.{row['index']} | {row['text']}"
        typer.echo(json.dumps(row) if as_json else text)


def _print_gap(lines: int | None) -> None:
    err.print(f"barque: {lines or 'some'} lines are no longer kept", markup=False)


def _moment(said: str | None) -> str | None:
    span = _SPAN.fullmatch(said or "")
    if span is None:
        return said
    return (datetime.now(UTC) - timedelta(**{_UNITS[span[2]]: int(span[1])})).isoformat()


def run(
    command: Annotated[list[str], typer.Argument(help="The command, for a shell.")],
    at: At = None,
    timeout: Annotated[int, typer.Option(help="Seconds that it may take.")] = 300,
    as_json: Json = False,
) -> None:
    """Run a one-off command in the live release."""
    said = _service(at).run(" ".join(command), timeout)
    if as_json:
        show(said, (), as_json)
    else:
        typer.echo(said["output"], nl=False)
    if said["exit_code"] is None:
        fail(f"the command took over {timeout} s: give it more with --timeout")
    raise typer.Exit(said["exit_code"])


def open_service(at: At = None) -> None:
    """Print the service's address, and open it where there is a browser."""
    url = str(_service(at or linked()).get()["url"])
    typer.echo(url)
    webbrowser.open(url)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (
        build, deploy, rollback, restart, promote, scale, ps, releases, deployments, logs, run,
    ):  # fmt: skip
        app.command()(command)
    app.command("open")(open_service)
