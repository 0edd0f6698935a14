"""Open private repositories, follow pull requests, and watch paths."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Open private repositories, follow pull requests, and watch paths."""
    op.create_table(
        "git_credentials",
        sa.Column("org_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("repository", sa.String(255)),
        sa.Column("username", sa.String(255), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.Text()),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organizations.id"],
            name=op.f("fk_git_credentials_org_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_git_credentials")),
        sa.UniqueConstraint("org_id", "name", name=op.f("uq_git_credentials_org_id_name")),
    )
    with op.batch_alter_table("git_credentials") as batch:
        batch.create_index(batch.f("ix_git_credentials_org_id"), ["org_id"])

    op.create_table(
        "github_reports",
        sa.Column("org_id", sa.String(36), nullable=False),
        sa.Column("deployment_id", sa.String(36), nullable=False),
        sa.Column("repository", sa.String(255), nullable=False),
        sa.Column("commit_sha", sa.String(255), nullable=False),
        sa.Column("context", sa.String(255), nullable=False),
        sa.Column("url", sa.String(2048), nullable=False),
        sa.Column("said", sa.String(255)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True)),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"],
            ["organizations.id"],
            name=op.f("fk_github_reports_org_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_github_reports")),
    )
    with op.batch_alter_table("github_reports") as batch:
        batch.create_index(
            batch.f("ix_github_reports_deployment_id"), ["deployment_id"], unique=False
        )
        batch.create_index(batch.f("ix_github_reports_due"), ["due"])
        batch.create_index(batch.f("ix_github_reports_org_id"), ["org_id"])

    op.create_table(
        "github_previews",
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("repository", sa.String(255), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("moment", sa.String(32), nullable=False),
        sa.Column("head_sha", sa.String(255), nullable=False),
        sa.Column("head_ref", sa.String(255), nullable=False),
        sa.Column("environment_id", sa.String(36)),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["environments.id"],
            name=op.f("fk_github_previews_environment_id_environments"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_github_previews_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_github_previews")),
        sa.UniqueConstraint(
            "project_id",
            "repository",
            "number",
            name=op.f("uq_github_previews_project_id_repository_number"),
        ),
    )
    with op.batch_alter_table("github_previews") as batch:
        batch.create_index(
            batch.f("ix_github_previews_environment_id"), ["environment_id"], unique=False
        )
        batch.create_index(batch.f("ix_github_previews_project_id"), ["project_id"], unique=False)

    with op.batch_alter_table("environments") as batch:
        batch.add_column(
            sa.Column("previews", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch.add_column(
            sa.Column(
                "previews_from_forks", sa.Boolean(), server_default=sa.false(), nullable=False
            )
        )

    with op.batch_alter_table("services") as batch:
        batch.add_column(sa.Column("watch_paths", sa.JSON()))
