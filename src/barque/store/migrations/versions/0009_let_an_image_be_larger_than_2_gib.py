"""Let an image be larger than 2 GiB."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Count the bytes of an image in a column that is wide enough."""
    with op.batch_alter_table("images") as batch:
        batch.alter_column("size_bytes", type_=sa.BigInteger, existing_type=sa.Integer)
