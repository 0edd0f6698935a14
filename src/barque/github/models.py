"""The table of deliveries."""

from datetime import datetime, timedelta

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Base, now

DELIVERIES_KEPT = timedelta(days=30)


class Delivery(Base):
    """A delivery of GitHub's that was seen: it is never acted upon again."""

    __tablename__ = "github_deliveries"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    created: Mapped[datetime] = mapped_column(default=now)
