"""The table of services."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Amended, Base, Reference


class Service(Amended, Base):
    """A deployable unit: one container image, with its own config, scaling and health check.

    `last_image_version` and `last_release_version` count without gap under any concurrency,
    since they are raised in the transaction that uses the number. Whoever is `locked_by` has
    stopped deployments, for `lock_reason`. `update_order` is of its workers: the new are started
    before the old are stopped, or the other way round.
    What is built is the repository, or its folder `root_directory`, by the `dockerfile` in there;
    instead of a repository it may name an image that is built already, by its `image_reference`.
    A push builds only what it touches: files that `watch_paths` match, or those of
    `root_directory` where it is null.
    """

    __tablename__ = "services"
    __table_args__ = (UniqueConstraint("environment_id", "slug"),)

    environment_id: Mapped[Reference] = mapped_column(ForeignKey("environments.id"))
    name: Mapped[str] = mapped_column(String(255))
    slug: Mapped[str] = mapped_column(String(63))
    platform: Mapped[str] = mapped_column(String(16))
    github_repository: Mapped[str | None] = mapped_column(String(255))
    image_reference: Mapped[str | None] = mapped_column(String(255))
    dockerfile: Mapped[str] = mapped_column(
        String(255), default="Dockerfile", server_default="Dockerfile"
    )
    root_directory: Mapped[str | None] = mapped_column(String(255))
    watch_paths: Mapped[list[str] | None]
    health_check_path: Mapped[str] = mapped_column(String(2048))
    auto_deploy_branch: Mapped[str | None] = mapped_column(String(255))
    deployment_timeout: Mapped[int]
    update_order: Mapped[str] = mapped_column(
        String(16), default="start-first", server_default="start-first"
    )
    process_counts: Mapped[dict[str, int]]
    last_image_version: Mapped[int] = mapped_column(default=0)
    last_release_version: Mapped[int] = mapped_column(default=0)
    locked_by: Mapped[str | None] = mapped_column(String(255))
    lock_reason: Mapped[str | None] = mapped_column(String(1000))
