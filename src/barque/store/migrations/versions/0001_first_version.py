"""Make the tables of the first version. Constraints and indexes are named by `Base`'s rules."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first version."""
    _what_people_own()
    _what_is_deployed()
    _what_is_remembered()


def _text(name: str, length: int, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=null)


def _moment(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _recorded() -> tuple[sa.Column[str], sa.Column[object]]:
    return sa.Column("id", sa.String(36), primary_key=True), _moment("created")


def _belongs_to(
    table: str, name: str, *, cascade: bool = True, null: bool = False
) -> sa.Column[str]:
    owner = sa.ForeignKey(f"{table}.id", ondelete="CASCADE" if cascade else None)
    return sa.Column(name, sa.String(36), owner, nullable=null, index=True)


def _what_people_own() -> None:
    op.create_table(
        "users", *_recorded(), _moment("updated"),
        _text("email", 255), sa.UniqueConstraint("email"),
    )  # fmt: skip
    op.create_table(
        "organizations", *_recorded(), _moment("updated"),
        _text("name", 255), _text("slug", 63),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("slug"),
    )  # fmt: skip
    op.create_table(
        "memberships", *_recorded(), _moment("updated"),
        _belongs_to("organizations", "org_id"), _belongs_to("users", "user_id"), _text("role", 16),
        sa.UniqueConstraint("org_id", "user_id"),
    )  # fmt: skip
    op.create_table(
        "api_keys", *_recorded(),
        _belongs_to("users", "user_id"), _belongs_to("organizations", "org_id", null=True),
        _text("name", 255), _text("prefix", 16), _text("digest", 64), _text("scope", 16),
        _moment("expires_at", null=True), _moment("revoked_at", null=True),
        sa.UniqueConstraint("digest"),
    )  # fmt: skip
    op.create_table(
        "projects", *_recorded(), _moment("updated"),
        _belongs_to("organizations", "org_id", cascade=False), _text("name", 255),
        _text("slug", 63), sa.UniqueConstraint("org_id", "slug"),
    )  # fmt: skip
    op.create_table(
        "environments", *_recorded(), _moment("updated"),
        _belongs_to("projects", "project_id", cascade=False), _text("name", 255),
        _text("slug", 63), _text("env_type", 16),
        sa.Column("protected", sa.Boolean, nullable=False),
        _text("auto_deploy_branch", 255, null=True),
        sa.Column("ephemeral", sa.Boolean, nullable=False),
        sa.UniqueConstraint("project_id", "slug"),
    )  # fmt: skip
    op.create_table(
        "services", *_recorded(), _moment("updated"),
        _belongs_to("environments", "environment_id", cascade=False), _text("name", 255),
        _text("slug", 63), _text("platform", 16), _text("github_repository", 255, null=True),
        _text("health_check_path", 2048), _text("auto_deploy_branch", 255, null=True),
        sa.Column("deployment_timeout", sa.Integer, nullable=False),
        sa.Column("process_counts", sa.JSON, nullable=False),
        sa.Column("last_image_version", sa.Integer, nullable=False),
        sa.Column("last_release_version", sa.Integer, nullable=False),
        _text("locked_by", 255, null=True), _text("lock_reason", 1000, null=True),
        sa.UniqueConstraint("environment_id", "slug"),
    )  # fmt: skip
    op.create_table(
        "config_variables", *_recorded(), _moment("updated"),
        _text("scope", 16), sa.Column("owner_id", sa.String(36), nullable=False, index=True),
        _text("name", 255), sa.Column("value", sa.Text), sa.Column("sealed", sa.LargeBinary),
        sa.Column("secret", sa.Boolean, nullable=False),
        sa.Column("buildtime", sa.Boolean, nullable=False),
        sa.UniqueConstraint("owner_id", "name"),
    )  # fmt: skip


def _what_is_deployed() -> None:
    op.create_table(
        "images", *_recorded(), _belongs_to("services", "service_id"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False, index=True),
        _text("ref", 255, null=True), _text("reference", 255), _text("commit_sha", 64, null=True),
        sa.Column("dockerfile", sa.Text), sa.Column("procfile", sa.Text),
        sa.Column("processes", sa.JSON), _text("image_digest", 80, null=True),
        sa.Column("size_bytes", sa.Integer), sa.Column("error_detail", sa.Text),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        _moment("started", null=True), _moment("finished", null=True),
        sa.UniqueConstraint("service_id", "version"),
    )  # fmt: skip
    op.create_table(
        "releases", *_recorded(), _belongs_to("services", "service_id"),
        sa.Column("version", sa.Integer, nullable=False),
        _belongs_to("images", "image_id"), sa.Column("image_version", sa.Integer, nullable=False),
        _text("image_reference", 255), _text("platform", 16), _text("commit_sha", 64, null=True),
        _text("health_check_path", 2048), sa.Column("processes", sa.JSON, nullable=False),
        sa.Column("config_snapshot", sa.JSON, nullable=False),
        sa.Column("sealed_config", sa.LargeBinary, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False), _text("status", 16),
        sa.UniqueConstraint("service_id", "version"),
    )  # fmt: skip
    op.create_table(
        "deployments", *_recorded(),
        _belongs_to("services", "service_id"), _belongs_to("releases", "release_id"),
        _text("trigger", 16), _text("actor", 255),
        sa.Column("status", sa.String(16), nullable=False, index=True),
        sa.Column("steps", sa.JSON, nullable=False), sa.Column("error_detail", sa.Text),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        _moment("started", null=True), _moment("finished", null=True),
    )  # fmt: skip


def _what_is_remembered() -> None:
    op.create_table(
        "audit_entries", *_recorded(), _belongs_to("organizations", "org_id"),
        _text("actor", 255), _text("address", 64), _text("action", 64), _text("target", 512),
        sa.Column("before", sa.JSON), sa.Column("after", sa.JSON),
    )  # fmt: skip
    op.create_table(
        "idempotency_records", sa.Column("key", sa.String(64), primary_key=True),
        _text("request", 64), sa.Column("status", sa.Integer, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False, index=True),
    )  # fmt: skip
    op.create_table(
        "github_deliveries", sa.Column("id", sa.String(64), primary_key=True), _moment("created")
    )
