"""Tables of projects and environments."""

from sqlalchemy import ForeignKey, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Amended, Base, Reference


class Project(Amended, Base):
    """What holds the environments of one product."""

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("org_id", "slug"),)

    org_id: Mapped[Reference] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(String(63))


class Environment(Amended, Base):
    """Where services run, side by side, on a network of their own.

    With `previews`, each pull request gets an environment of its own, made after this one; those
    from forks only with `previews_from_forks`, since they get its secrets.
    """

    __tablename__ = "environments"
    __table_args__ = (UniqueConstraint("project_id", "slug"),)

    project_id: Mapped[Reference] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(String(63))
    env_type: Mapped[str] = mapped_column(String(16))
    protected: Mapped[bool]
    auto_deploy_branch: Mapped[str | None] = mapped_column(String(255))
    ephemeral: Mapped[bool]
    previews: Mapped[bool] = mapped_column(default=False, server_default=false())
    previews_from_forks: Mapped[bool] = mapped_column(default=False, server_default=false())
