"""What Alembic reads before it migrates: the connection that it is handed, and how to write."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from barque.store.tables import Base, Moment


def plainly(kind: str, what: Any, _: AutogenContext) -> str | Literal[False]:
    """Render a type of ours as the plain one, so that no migration changes with our code."""
    if kind == "type" and isinstance(what, Moment):
        return "sa.DateTime(timezone=True)"
    return False


# SQLite cannot alter a column: there, a batch makes the table anew.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    render_item=plainly,
)
with context.begin_transaction():
    context.run_migrations()
