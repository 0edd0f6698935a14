"""What the platform offers, as methods."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from barque.client.packing import CannotPack, listed, packed
from barque.client.transport import Transport

Row = dict[str, Any]
OnGap = Callable[[int | None], None]


def path_of(address: str) -> str:
    """Turn `org[/project[/env[/service]]]` into the path of the API. Raises `ValueError`."""
    parts = address.strip("/").split("/")
    if not all(parts) or len(parts) > 4:
        raise ValueError(f"'{address}' is no address: write org/project/env/service")
    words = ("orgs", "projects", "envs", "services")
    return "".join(f"/{word}/{part}" for word, part in zip(words, parts, strict=False))


def report_gap(lines: int | None) -> None:
    """Log a warning about lines that are no longer kept."""
    logging.getLogger(__name__).warning("%s lines are no longer kept", lines or "some")


class Client:
    """The platform at `url`, as whoever holds `key`. Raises `ApiError` and `Unreachable`."""

    def __init__(self, url: str, key: str) -> None:
        self.transport = Transport(url, key)

    def whoami(self) -> Row:
        """Tell who is calling."""
        return self._call("GET", "/whoami")

    def platforms(self) -> list[Row]:
        """List the platform names with their bindings."""
        return self._call("GET", "/platforms")

    def children(self, address: str = "") -> list[Row]:
        """List what an address holds: orgs of "", projects of an org, and so on."""
        return self._call("GET", self._children_path(address))

    def create(self, parent: str, **fields: Any) -> Row:
        """Make a child of an address: an org of "", a project of an org, and so on."""
        return self._call("POST", self._children_path(parent), fields)

    def get(self, address: str) -> Row:
        """Show an org, project, environment or service."""
        return self._call("GET", path_of(address))

    def update(self, address: str, **fields: Any) -> Row:
        """Change an org, project, environment or service."""
        return self._call("PATCH", path_of(address), fields)

    def delete(self, address: str, cascade: bool = False) -> None:
        """Delete an org, project, environment or service."""
        query = {"cascade": "true"} if cascade else {}
        self._call("DELETE", path_of(address), **query)

    def config(self, address: str) -> list[Row]:
        """List the config of one level."""
        return self._call("GET", f"{path_of(address)}/config")

    def set_config(
        self, address: str, values: dict[str, str], *, secret: bool = False, buildtime: bool = False
    ) -> Row:
        """Set config variables, all or nothing; says what was created, replaced, unchanged."""
        variables = [
            {"name": name, "value": value, "secret": secret, "buildtime": buildtime}
            for name, value in values.items()
        ]
        return self._call("POST", f"{path_of(address)}/config/bulk", {"variables": variables})

    def import_config(self, address: str, dotenv: str, *, secret: bool = False) -> Row:
        """Set config variables from dotenv text, all or nothing."""
        body = {"raw": dotenv, "secret": secret}
        return self._call("POST", f"{path_of(address)}/config/bulk", body)

    def unset_config(self, address: str, name: str) -> bool:
        """Delete a config variable of one level. Returns whether it was there."""
        for row in self.config(address):
            if row["name"] == name:
                self._call("DELETE", f"{path_of(address)}/config/{row['id']}")
                return True
        return False

    def audit(self, org: str, page: int = 1) -> Row:
        """Read one page of an org's audit log, newest first."""
        return self._call("GET", f"{path_of(org)}/audit", page=page)

    def webhooks(self, org: str) -> list[Row]:
        """List an org's webhooks."""
        return self._call("GET", f"{path_of(org)}/webhooks")

    def create_webhook(self, org: str, url: str, **fields: Any) -> Row:
        """Make a webhook (`events`, `project`); its secret is in the answer, this once."""
        return self._call("POST", f"{path_of(org)}/webhooks", {"url": url, **fields})

    def webhook(self, org: str, webhook_id: str) -> "Webhook":
        """Return a handle of a webhook."""
        return Webhook(self, f"{path_of(org)}/webhooks/{webhook_id}")

    def git_credentials(self, org: str) -> list[Row]:
        """List what opens an org's private repositories, without values."""
        return self._call("GET", f"{path_of(org)}/git-credentials")

    def add_git_credential(self, org: str, name: str, kind: str, host: str, **more: Any) -> Row:
        """Add a `token` or an `ssh_key`, perhaps with `value`, `repository` and `username`.

        A key without a value is made by the platform, which answers its `public_key`.
        """
        body = {"name": name, "kind": kind, "host": host, **more}
        return self._call("POST", f"{path_of(org)}/git-credentials", body)

    def remove_git_credential(self, org: str, name: str) -> None:
        """Delete a git credential, by its name or id."""
        self._call("DELETE", f"{path_of(org)}/git-credentials/{name}")

    def previews(self, project: str) -> list[Row]:
        """List a project's open pull requests, and the environments that they have."""
        return self._call("GET", f"{path_of(project)}/previews")

    def promote(self, project: str, service: str, source_env: str, target_env: str) -> Row:
        """Deploy in one environment what is live in another."""
        body = {"service": service, "source_env": source_env, "target_env": target_env}
        return self._call("POST", f"{path_of(project)}/promote", body)

    def promote_preview(self, project: str, service: str, source_env: str, target_env: str) -> Row:
        """Show what a promotion would change."""
        path = f"{path_of(project)}/promote/preview"
        query = {"service": service, "source_env": source_env, "target_env": target_env}
        return self._call("GET", path, **query)

    def service(self, address: str) -> "Service":
        """Return a handle of a service. Raises `ValueError` for what is no full address."""
        if address.strip("/").count("/") != 3:
            raise ValueError(f"'{address}' is no service: write org/project/env/service")
        return Service(self, path_of(address))

    def _children_path(self, address: str) -> str:
        words = ("orgs", "projects", "envs", "services")
        if not address:
            return "/orgs"
        depth = address.strip("/").count("/") + 1
        if depth > 3:
            raise ValueError(f"'{address}' is a service: it holds nothing else")
        return f"{path_of(address)}/{words[depth]}"

    def _call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        return self.transport.call(method, path, body, **query)


@dataclass(frozen=True, slots=True)
class Handle:
    """One resource at its path, through its client."""

    client: Client
    path: str

    def get(self) -> Row:
        """Show the resource."""
        return self._call("GET")

    def update(self, **fields: Any) -> Row:
        """Change the resource: its fields are those of the API."""
        return self._call("PATCH", "", fields)

    def _call(self, method: str, path: str = "", body: Any = None, **query: Any) -> Any:
        return self.client.transport.call(method, f"{self.path}{path}", body, **query)


@dataclass(frozen=True, slots=True)
class Webhook(Handle):
    """One webhook, of which `url`, `events` and `active` can be changed."""

    def delete(self) -> None:
        """Delete the webhook, with its deliveries."""
        self._call("DELETE")

    def rotate(self) -> Row:
        """Give it a new secret, which is in the answer; for a day the old one signs as well."""
        return self._call("POST", "/rotate")

    def ping(self) -> Row:
        """Send an event that tells of nothing; returns the delivery."""
        return self._call("POST", "/ping")

    def deliveries(self, page: int = 1) -> Row:
        """Read one page of what was sent, newest first."""
        return self._call("GET", "/deliveries", page=page)

    def redeliver(self, delivery_id: str) -> Row:
        """Send an event once more; returns the new delivery."""
        return self._call("POST", f"/deliveries/{delivery_id}/redeliver")


@dataclass(frozen=True, slots=True)
class Service(Handle):
    """One service."""

    def resolved_config(self) -> list[Row]:
        """Show the merged config, each variable with the level it came from."""
        return self._call("GET", "/config/resolved")

    def build(self, ref: str | None = None) -> Row:
        """Enqueue a build."""
        return self._call("POST", "/images/build", {"ref": ref} if ref else {})

    def upload(self, folder: Path) -> Row:
        """Upload a folder, and enqueue a build of it.

        What `.gitignore` and `.dockerignore` leave out stays here. Raises `CannotPack` as well.
        """
        service = self.get()
        paths = listed(folder, service["root_directory"], service["dockerfile"])
        if not paths:
            raise CannotPack(f"there is nothing to upload in {folder}: it is empty, or all ignored")
        pack = partial(packed, folder, paths)
        return self.client.transport.upload(f"{self.path}/images/upload", pack)

    def images(self) -> list[Row]:
        """List the newest images."""
        return list(self._call("GET", "/images")["items"])

    def image(self, version: int) -> Row:
        """Show an image."""
        return self._call("GET", f"/images/{version}")

    def build_log(self, version: int) -> Row:
        """Show a build log."""
        return self._call("GET", f"/images/{version}/log")

    def follow_build(self, version: int) -> Iterator[str]:
        """Follow a build log to its end, line by line."""
        return self._lines(f"/images/{version}/log")

    def deploy(self, image_version: int | None = None) -> Row:
        """Release an image (the newest, unless one is named) and roll it out."""
        body = {"image_version": image_version} if image_version else {}
        return self._call("POST", "/deploy", body)

    def build_and_deploy(self, ref: str | None = None) -> Row:
        """Build (or fetch the image of) the service, release that, and roll it out, in one."""
        project, _, rest = self.path.partition("/envs/")
        env, _, service = rest.split("/")
        body = {"env": env, "service": service, **({"ref": ref} if ref else {})}
        return self.client.transport.call("POST", f"{project}/pipeline/deploy", body)

    def rollback(self, release_version: int | None = None) -> Row:
        """Roll an earlier release out again."""
        body = {"release_version": release_version} if release_version else {}
        return self._call("POST", "/rollback", body)

    def restart(self) -> Row:
        """Replace every instance by a new one, without a dropped request."""
        return self._call("POST", "/restart", {})

    def scale(self, counts: dict[str, int]) -> Row:
        """Change how many instances run."""
        return self._call("POST", "/scale", {"process_counts": counts})

    def run(self, command: str, timeout: int = 300) -> Row:
        """Run a one-off command in the live release."""
        body = {"command": command, "timeout": timeout}
        return self.client.transport.call("POST", f"{self.path}/run", body, wait=timeout + 60)

    def releases(self) -> list[Row]:
        """List the 50 newest releases."""
        return self._call("GET", "/releases")

    def deployments(self) -> list[Row]:
        """List the newest deployments."""
        return list(self._call("GET", "/deployments")["items"])

    def deployment(self, deployment_id: str) -> Row:
        """Show a deployment."""
        return self._call("GET", f"/deployments/{deployment_id}")

    def follow_deployment(self, deployment_id: str) -> Iterator[str]:
        """Follow what a deployment says to its end, line by line."""
        return self._lines(f"/deployments/{deployment_id}/log")

    def cancel(self, deployment_id: str) -> Row:
        """Cancel a deployment that has not switched yet."""
        return self._call("POST", f"/deployments/{deployment_id}/cancel")

    def processes(self) -> list[Row]:
        """List the running instances."""
        return self._call("GET", "/processes")

    def logs(self, **query: Any) -> list[Row]:
        """Show what instances wrote.

        `process`, `since` and `until` (RFC 3339), `search` (plain text) and `tail` narrow it.
        """
        return list(self._call("GET", "/logs", **query)["lines"])

    def follow_logs(self, on_gap: OnGap = report_gap, **query: Any) -> Iterator[Row]:
        """Follow what instances write, narrowed as by `logs`, each line once.

        Where lines are no longer kept, `on_gap` is called with how many, or None when nobody
        knows; without one, a warning is logged.
        """
        for event in self.client.transport.events(f"{self.path}/logs", **query):
            if event.kind == "message":
                yield json.loads(event.data)
            elif event.kind == "gap":
                on_gap(json.loads(event.data)["lines"])

    def _lines(self, path: str) -> Iterator[str]:
        for event in self.client.transport.events(f"{self.path}{path}"):
            if event.kind == "message":
                yield json.loads(event.data)["text"]
