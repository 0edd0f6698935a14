"""Let an API key have a rate limit; the administrator's first key has none."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Let an API key have a rate limit; the administrator's first key has none."""
    with op.batch_alter_table("api_keys") as batch:
        batch.add_column(sa.Column("rate_limit", sa.Integer))
    keys = sa.table("api_keys", *map(sa.column, ("id", "user_id", "rate_limit")))
    users = sa.table("users", *map(sa.column, ("id", "email")))
    # Ids sort by age.
    first = sa.select(sa.func.min(keys.c.id)).where(
        keys.c.user_id.in_(sa.select(users.c.id).where(users.c.email == "admin@localhost"))
    )
    op.execute(keys.update().where(keys.c.id == first.scalar_subquery()).values(rate_limit=0))
