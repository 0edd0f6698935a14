"""The tables of GitHub's deliveries, of pull requests' environments, and of what GitHub is told."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Amended, Base, Recorded, Reference, now

DELIVERIES_KEPT = timedelta(days=30)


class Delivery(Base):
    """A delivery of GitHub's that was seen: it is never acted upon again."""

    __tablename__ = "github_deliveries"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created: Mapped[datetime] = mapped_column(default=now)


class Preview(Amended, Base):
    """A pull request of a repository, as a project knows it.

    The row stays when the pull request is closed, so that no late delivery opens it again.
    `moment` is the `updated_at` of the newest delivery that was heeded, as GitHub writes it, or
    empty. `environment_id` is null when it is closed, or somebody deleted its environment.
    """

    __tablename__ = "github_previews"
    __table_args__ = (UniqueConstraint("project_id", "repository", "number"),)

    project_id: Mapped[Reference] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    repository: Mapped[str] = mapped_column(String(255))
    number: Mapped[int]
    open: Mapped[bool]
    moment: Mapped[str] = mapped_column(String(32))
    head_sha: Mapped[str] = mapped_column(String(255))
    head_ref: Mapped[str] = mapped_column(String(255))
    environment_id: Mapped[Reference | None] = mapped_column(
        ForeignKey("environments.id", ondelete="SET NULL")
    )


class Report(Recorded, Base):
    """What GitHub is to be told of a deployment: how its commit fares, under the name `context`.

    `said` is what it was told last. `due` is when to try next, or null when all is told. The
    deployment may be gone, which is told as well.
    """

    __tablename__ = "github_reports"

    org_id: Mapped[Reference] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    deployment_id: Mapped[Reference]
    repository: Mapped[str] = mapped_column(String(255))
    commit_sha: Mapped[str] = mapped_column(String(255))
    context: Mapped[str] = mapped_column(String(255))
    url: Mapped[str] = mapped_column(String(2048))
    said: Mapped[str | None] = mapped_column(String(255))
    attempts: Mapped[int] = mapped_column(default=0)
    due: Mapped[datetime | None] = mapped_column(default=now, index=True)
