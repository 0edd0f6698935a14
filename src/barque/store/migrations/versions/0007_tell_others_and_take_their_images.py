"""Send webhooks, take images that were built elsewhere, and know which push asked for a build."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Send webhooks, take images built elsewhere, and know which push asked for a build."""
    with op.batch_alter_table("services") as batch:
        batch.add_column(sa.Column("image_reference", sa.String(255)))
    cut = sa.Column("log_truncated", sa.Boolean, nullable=False, server_default=sa.false())
    with op.batch_alter_table("images") as batch:
        batch.add_column(sa.Column("image_reference", sa.String(255)))
        batch.add_column(sa.Column("pushed_branch", sa.String(255)))
        batch.add_column(sa.Column("port", sa.Integer))
        batch.add_column(cut)
    with op.batch_alter_table("releases") as batch:
        batch.add_column(sa.Column("port", sa.Integer))
    _make_webhooks()
    _make_deliveries()


def _moment(name: str, *, null: bool = True, index: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null, index=index)


def _belongs_to(table: str, name: str, *, null: bool = False) -> sa.Column[str]:
    owner = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.String(36), owner, nullable=null, index=True)


def _make_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(36), primary_key=True),
        _moment("created", null=False), _moment("updated", null=False),
        _belongs_to("organizations", "org_id"), _belongs_to("projects", "project_id", null=True),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("secret_before", sa.LargeBinary),
        _moment("rotated"), _moment("failing_since"),
        sa.Column("disabled_reason", sa.String(500)),
    )  # fmt: skip


def _make_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(36), primary_key=True),
        _moment("created", null=False), _belongs_to("webhooks", "webhook_id"),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _moment("next_attempt", index=True),
        sa.Column("response_status", sa.Integer), sa.Column("error", sa.String(500)),
        _moment("finished"),
    )  # fmt: skip
