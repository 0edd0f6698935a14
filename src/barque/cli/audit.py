"""Commands that tell what happened: the audit log, and previews."""

from itertools import islice

from barque.cli.app import Group
from barque.cli.context import org_at, project_at
from barque.cli.orgs import PANEL
from barque.cli.output import show
from barque.cli.parameters import Limit, OfProject, Org


def audit(org: Org = None, limit: Limit = 20) -> None:
    """List who changed what in an organization, newest first."""
    rows = list(islice(org_at(org).audit(per_page=min(limit, 100)), limit))
    show(rows, ("created", "actor", "action", "target", "before", "after"))


def previews(project: OfProject = None) -> None:
    """List the open pull requests of a project, and the environments that they have."""
    columns = ("repository", "number", "head_ref", "head_sha", "env")
    show(project_at(project).previews(), columns, "no pull request has an environment")


def add_to(app: Group) -> None:
    """Add the commands."""
    app.add("audit", PANEL)(audit)
    app.add("previews", PANEL)(previews)
