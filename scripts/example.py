"""Deploys `examples/hello` to the platform that runs, unless what is live is just that."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from barque.client import ApiError, Blocking, Client, Service

ADDRESS = "demo/hello/production/hello"
SOURCE = Path(__file__).parent.parent / "examples" / "hello"


def main() -> None:
    client = Client(os.environ["BARQUE_URL"], os.environ["BARQUE_API_KEY"])
    commit = commit_example(Path(os.environ["BARQUE_REPOSITORIES"]) / "demo" / "hello")
    service = make_service(client)
    if not is_live(service, commit):
        deploy(service)
    url = service.get()["url"]
    wait_for(url)
    print(f"Example: {url}")


def commit_example(repository: Path) -> str:
    """Keep the example in a Git repository, and return its newest commit."""
    shutil.copytree(SOURCE, repository, dirs_exist_ok=True)
    git = [
        "git",
        "-C",
        str(repository),
        "-c",
        "user.name=Barque",
        "-c",
        "user.email=barque@localhost",
    ]
    if not (repository / ".git").exists():
        subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    if subprocess.run([*git, "diff", "--cached", "--quiet"], check=False).returncode:
        subprocess.run([*git, "commit", "-q", "-m", "Say hello"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return head.stdout.strip()


def make_service(client: Client) -> Service[Blocking]:
    org, project, env, service = ADDRESS.split("/")
    wanted: list[tuple[str, Callable[[], object]]] = [
        (org, lambda: client.create_org(name=org)),
        (f"{org}/{project}", lambda: client.org(org).create_project(name=project)),
        (
            f"{org}/{project}/{env}",
            lambda: client.project(f"{org}/{project}").create_env(name=env),
        ),
        (
            ADDRESS,
            lambda: client.env(f"{org}/{project}/{env}").create_service(
                name=service, platform="wind", github_repository="demo/hello"
            ),
        ),
    ]
    for address, make in wanted:
        try:
            client.at(address).get()
        except ApiError as error:
            if error.status != 404:
                raise
            make()
    return client.service(ADDRESS)


def is_live(service: Service[Blocking], commit: str) -> bool:
    return any(
        release["status"] == "live" and release["commit_sha"] == commit
        for release in service.releases()
    )


def deploy(service: Service[Blocking]) -> None:
    print("==> building the example")
    version = service.build()["version"]
    for line in service.follow_build(version):
        print(f"    {line}")
    image = service.image(version)
    if image["status"] != "built":
        sys.exit(f"the example was not built: {image['error_detail']}")
    service.scale({"web": 1, "worker": 1})
    print("==> deploying the example")
    deployment = service.deploy()["deployment_id"]
    for line in service.follow_deployment(deployment):
        print(f"    {line}")
    row = service.deployment(deployment)
    if row["status"] != "live":
        sys.exit(f"the example is not live: {row['error_detail']}")


def wait_for(url: str) -> None:
    """Return once the service answers; names below `localhost` are this machine's."""
    at = httpx.URL(url)
    for _ in range(100):
        answer = httpx.get(at.copy_with(host="127.0.0.1"), headers={"Host": at.host})
        if answer.status_code == 200:
            return
        time.sleep(0.1)
    sys.exit(f"{url} does not answer")


if __name__ == "__main__":
    main()
