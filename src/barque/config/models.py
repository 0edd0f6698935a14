"""The table of config variables."""

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from barque.config.resolution import Scope
from barque.store.tables import Amended, Base, Reference


class ConfigVariable(Amended, Base):
    """One variable at one level. A secret's `value` is null, and its text in `sealed`."""

    __tablename__ = "config_variables"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    scope: Mapped[Scope] = mapped_column(String(16))
    owner_id: Mapped[Reference]
    name: Mapped[str] = mapped_column(String(255))
    value: Mapped[str | None] = mapped_column(Text)
    sealed: Mapped[bytes | None]
    secret: Mapped[bool]
    buildtime: Mapped[bool]
