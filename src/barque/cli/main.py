"""The commands."""

import typer

from barque.cli import (
    backup,
    doctor,
    git,
    git_credentials,
    keys,
    plans,
    resources,
    service,
    system,
    webhooks,
)
from barque.cli.context import sentences

app = typer.Typer(
    name="barque", help="A deploy you can trust.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
system.add_to(app)
resources.add_to(app)
service.add_to(app)
plans.add_to(app)
git.add_to(app)
webhooks.add_to(app)
git_credentials.add_to(app)
doctor.add_to(app)
backup.add_to(app)
keys.add_to(app)


def main() -> None:
    """Run the program."""
    with sentences():
        app()
