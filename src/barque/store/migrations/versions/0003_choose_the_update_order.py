"""Let a service choose the update order of its workers, and know which images were pruned."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let a service choose the update order of its workers, and know which images were pruned."""
    with op.batch_alter_table("images") as batch:
        batch.add_column(sa.Column("pruned", sa.DateTime(timezone=True)))
    order = sa.Column("update_order", sa.String(16), nullable=False, server_default="start-first")
    with op.batch_alter_table("services") as batch:
        batch.add_column(order)
