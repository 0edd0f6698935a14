"""Commands about webhooks: who is told of builds and deployments."""

from typing import Annotated, Any

import typer

from barque.cli.context import address_of, client, out, show
from barque.cli.system import Json
from barque.client import Blocking, Webhook

webhooks = typer.Typer(help="List, make, change and test who is told of builds and deployments.")
Org = Annotated[str | None, typer.Option("--org", "-o", help="The org, or the linked one.")]
Id = Annotated[str, typer.Argument(help="The webhook's id.")]
Events = Annotated[
    list[str] | None, typer.Option("--event", "-e", help="build.failed ...; else every event.")
]
Active = Annotated[bool | None, typer.Option("--active/--inactive", help="Whether it is told.")]

_ROW = ("id", "url", "events", "project_id", "active", "disabled_reason")
_MADE = ("id", "url", "events", "secret")
_DELIVERY = ("id", "event", "status", "attempts", "response_status", "next_attempt", "error")


def _org(given: str | None) -> str:
    return address_of(given).split("/")[0]


def _webhook(webhook_id: str, org: str | None) -> Webhook[Blocking]:
    return client().org(_org(org)).webhook(webhook_id)


@webhooks.callback(invoke_without_command=True)
def bare(context: typer.Context) -> None:
    """List the webhooks of the linked org, unless a command says otherwise."""
    if context.invoked_subcommand is None:
        list_webhooks()


@webhooks.command("list")
def list_webhooks(org: Org = None, as_json: Json = False) -> None:
    """List an org's webhooks."""
    show(client().org(_org(org)).webhooks(), _ROW, as_json)


@webhooks.command("create")
def create(
    url: str, events: Events = None,
    project: Annotated[str | None, typer.Option(help="Only of this project.")] = None,
    org: Org = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Make a webhook, and print its secret, this once."""
    fields: dict[str, Any] = {"project": project, **({"events": events} if events else {})}
    show(client().org(_org(org)).create_webhook(url=url, **fields), _MADE, as_json)


@webhooks.command("show")
def show_one(webhook: Id, org: Org = None, as_json: Json = False) -> None:
    """Show a webhook."""
    show(_webhook(webhook, org).get(), _ROW, as_json)


@webhooks.command("set")
def change(
    webhook: Id, url: Annotated[str | None, typer.Option()] = None, events: Events = None,
    active: Active = None, org: Org = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Change a webhook; making it active sends what waited meanwhile."""
    wanted = {"url": url, "events": events or None, "active": active}
    fields: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    show(_webhook(webhook, org).update(**fields), _ROW, as_json)


@webhooks.command("delete")
def delete(webhook: Id, org: Org = None) -> None:
    """Delete a webhook."""
    _webhook(webhook, org).delete()
    out.print(f"{webhook} is deleted")


@webhooks.command("rotate")
def rotate(webhook: Id, org: Org = None, as_json: Json = False) -> None:
    """Give a webhook a new secret, and print it; for a day the old one signs as well."""
    show(_webhook(webhook, org).rotate(), _MADE, as_json)


@webhooks.command("ping")
def ping(webhook: Id, org: Org = None, as_json: Json = False) -> None:
    """Send an event that tells of nothing."""
    show(_webhook(webhook, org).ping(), _DELIVERY, as_json)


@webhooks.command("deliveries")
def list_deliveries(
    webhook: Id, org: Org = None, as_json: Json = False,
) -> None:  # fmt: skip
    """List what was sent to a webhook, newest first."""
    show(list(_webhook(webhook, org).deliveries()), _DELIVERY, as_json)


@webhooks.command("redeliver")
def redeliver(webhook: Id, delivery: str, org: Org = None, as_json: Json = False) -> None:
    """Send an event once more."""
    show(_webhook(webhook, org).redeliver(delivery), _DELIVERY, as_json)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(webhooks, name="webhooks")
