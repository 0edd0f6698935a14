"""Commands about the members of an organization."""

from typing import Annotated, Any, Literal

import typer

from barque.cli.app import Group
from barque.cli.context import org_at
from barque.cli.orgs import PANEL
from barque.cli.output import show, told
from barque.cli.parameters import Org

group = Group("List, add, change and remove the members of an organization.")
Role = Annotated[
    Literal["viewer", "developer", "admin"], typer.Option(help="What they may do there.")
]
User = Annotated[str, typer.Argument(help="The member's e-mail address or id.")]
_COLUMNS = ("email", "role", "created", "id")


@group.alone
@group.add("list")
def list_members(org: Org = None) -> None:
    """List the members."""
    show(org_at(org).members(), _COLUMNS)


@group.add("add")
def add(
    email: Annotated[str, typer.Argument(help="The new member's e-mail address.")],
    role: Role = "viewer",
    org: Org = None,
) -> None:
    """Add a member; 'barque keys create --user' makes a key for them."""
    fields: dict[str, Any] = {"email": email, "role": role}
    show(org_at(org).add_member(**fields), _COLUMNS)


@group.add("set")
def change(
    user: User, role: Role,
    org: Org = None,
) -> None:  # fmt: skip
    """Give a member another role."""
    wanted: Any = role
    show(org_at(org).change_member(user, wanted), _COLUMNS)


@group.add("remove")
def remove(user: User, org: Org = None) -> None:
    """Remove a member."""
    org_at(org).remove_member(user)
    told(f"{user} is a member no more", removed=user)


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add_typer(group, name="members", rich_help_panel=PANEL)
