"""Let people sign in to the dashboard, and find the newest of each service quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Let people sign in to the dashboard, and find the newest of each service quickly."""
    op.create_table(
        "sign_ins",
        sa.Column("key_id", sa.String(36), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name="fk_sign_ins_key_id_api_keys", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.UniqueConstraint("digest", name="uq_sign_ins_digest"),
    )
    op.create_index("ix_sign_ins_key_id", "sign_ins", ["key_id"])
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"])
    for table in ("images", "releases", "deployments"):
        op.create_index(f"ix_{table}_newest", table, ["service_id", "id"])
    op.create_index("ix_deployments_state", "deployments", ["service_id", "status"])
    op.create_index("ix_audit_entries_newest", "audit_entries", ["org_id", "id"])
