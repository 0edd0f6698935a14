"""The table of instances."""

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Base, Recorded, Reference


class Instance(Recorded, Base):
    """One container of a deployment, from before it is made until it is removed.

    The row is the lease of its `address`: no two instances of an environment hold the same.
    `retiring` instances are out of the router, or on their way.
    """

    __tablename__ = "instances"
    __table_args__ = (UniqueConstraint("environment_id", "address"),)

    environment_id: Mapped[Reference] = mapped_column(
        ForeignKey("environments.id", ondelete="CASCADE")
    )
    service_id: Mapped[Reference] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    deployment_id: Mapped[Reference] = mapped_column(
        ForeignKey("deployments.id", ondelete="CASCADE")
    )
    process_type: Mapped[str] = mapped_column(String(63))
    index: Mapped[int]
    name: Mapped[str] = mapped_column(String(128), unique=True)
    address: Mapped[str] = mapped_column(String(45))
    retiring: Mapped[bool] = mapped_column(default=False)
