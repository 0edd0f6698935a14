"""The table of answers to requests that carried an `Idempotency-Key`."""

from datetime import datetime, timedelta

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from barque.store.tables import Base, now

KEPT = timedelta(hours=24)


class IdempotencyRecord(Base):
    """One answer. `key` is a hash of the caller and their key, `request` of what they asked."""

    __tablename__ = "idempotency_records"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    answer: Mapped[bytes]
    created: Mapped[datetime] = mapped_column(default=now, index=True)

    def is_fresh(self) -> bool:
        """Tell whether the answer still counts."""
        return now() - self.created < KEPT
