"""Commands about webhooks: who is told of builds and deployments."""

from itertools import islice
from typing import Annotated, Any

import typer

from barque.cli.app import Group
from barque.cli.context import org_at
from barque.cli.output import describe, given, show, told
from barque.cli.parameters import Limit, Org
from barque.client import Blocking, Webhook

group = Group("List, make, change and test who is told of builds and deployments.")
Id = Annotated[str, typer.Argument(help="The webhook's id.")]
Events = Annotated[
    list[str] | None, typer.Option("--event", "-e", help="build.failed ...; else every event.")
]
Active = Annotated[bool | None, typer.Option("--active/--inactive", help="Whether it is told.")]

_ROW = ("id", "url", "events", "project_id", "active", "disabled_reason")
_MADE = ("id", "url", "events", "secret")
_DELIVERY = ("id", "event", "status", "attempts", "response_status", "next_attempt", "error")


def _webhook(webhook_id: str, org: str | None) -> Webhook[Blocking]:
    return org_at(org).webhook(webhook_id)


@group.alone
@group.add("list")
def list_webhooks(org: Org = None) -> None:
    """List an org's webhooks."""
    show(org_at(org).webhooks(), _ROW, "no webhooks yet: 'barque webhooks create URL' makes one")


@group.add("create")
def create(
    url: Annotated[str, typer.Argument(help="Where to send events.")], events: Events = None,
    project: Annotated[str | None, typer.Option(help="Only of this project.")] = None,
    org: Org = None,
) -> None:  # fmt: skip
    """Make a webhook, and print its secret, this once."""
    fields: dict[str, Any] = {"url": url, **given(project=project, events=events or None)}
    describe(org_at(org).create_webhook(**fields), _MADE)


@group.add("show")
def show_one(webhook: Id, org: Org = None) -> None:
    """Show a webhook."""
    describe(_webhook(webhook, org).get())


@group.add("set")
def change(
    webhook: Id, url: Annotated[str | None, typer.Option(help="Where to send events.")] = None,
    events: Events = None, active: Active = None, org: Org = None,
) -> None:  # fmt: skip
    """Change a webhook; making it active sends what waited meanwhile."""
    fields: dict[str, Any] = given(url=url, events=events or None, active=active)
    show(_webhook(webhook, org).update(**fields), _ROW)


@group.add("delete")
def delete(webhook: Id, org: Org = None) -> None:
    """Delete a webhook."""
    _webhook(webhook, org).delete()
    told(f"{webhook} is deleted", deleted=webhook)


@group.add("rotate")
def rotate(webhook: Id, org: Org = None) -> None:
    """Give a webhook a new secret, and print it; for a day the old one signs as well."""
    describe(_webhook(webhook, org).rotate(), _MADE)


@group.add("ping")
def ping(webhook: Id, org: Org = None) -> None:
    """Send an event that tells of nothing."""
    show(_webhook(webhook, org).ping(), _DELIVERY)


@group.add("deliveries")
def list_deliveries(webhook: Id, limit: Limit = 20, org: Org = None) -> None:
    """List what was sent to a webhook, newest first."""
    found = _webhook(webhook, org).deliveries(per_page=min(limit, 100))
    empty = f"nothing was sent to it yet: 'barque webhooks ping {webhook}' sends something"
    show(list(islice(found, limit)), _DELIVERY, empty)


@group.add("redeliver")
def redeliver(
    webhook: Id, delivery: Annotated[str, typer.Argument(help="The delivery's id.")],
    org: Org = None,
) -> None:  # fmt: skip
    """Send an event once more."""
    show(_webhook(webhook, org).redeliver(delivery), _DELIVERY)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="webhooks", rich_help_panel="Configure")
