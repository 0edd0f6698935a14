"""Build what is uploaded or pushed, not only what is fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Build what is uploaded or pushed, not only what is fetched."""
    source = sa.Column("source", sa.String(16), nullable=False, server_default="repository")
    with op.batch_alter_table("images") as batch:
        batch.add_column(source)
