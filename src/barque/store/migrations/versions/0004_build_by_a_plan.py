"""Build by a plan, and let a service name its Dockerfile and folder."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Build by a plan, and let a service name its Dockerfile and folder."""
    with op.batch_alter_table("images") as batch:
        batch.add_column(sa.Column("plan", sa.JSON))
    name = sa.Column("dockerfile", sa.String(255), nullable=False, server_default="Dockerfile")
    with op.batch_alter_table("services") as batch:
        batch.add_column(name)
        batch.add_column(sa.Column("root_directory", sa.String(255)))
