"""The rules of config: setting, replacing, and reading what a service sees."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.config.models import ConfigVariable
from barque.config.resolution import Resolved, Scope, Variable, resolve
from barque.config.schemas import NewVariable
from barque.services.place import Place
from barque.vault import Vault


def owner_of(place: Place) -> tuple[Scope, str]:
    """Return the level that a path names, and the id of its row."""
    levels: tuple[tuple[Scope, object], ...] = (
        ("service", place.svc),
        ("environment", place.env),
        ("project", place.project),
    )
    for scope, row in levels:
        if row is not None:
            return scope, row.id  # type: ignore[attr-defined]
    return "org", place.org.id


class Config:
    """Config variables, whose secrets are sealed by the key of their organization."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def level(self, session: AsyncSession, place: Place) -> list[ConfigVariable]:
        """List the variables of one level, by name."""
        rows = select(ConfigVariable).where(ConfigVariable.owner_id == owner_of(place)[1])
        return list(await session.scalars(rows.order_by(ConfigVariable.name)))

    async def set(self, session: AsyncSession, place: Place, new: NewVariable) -> tuple[
        ConfigVariable, str
    ]:  # fmt: skip
        """Set a variable, and say whether it was `created`, `replaced` or left `unchanged`."""
        scope, owner_id = owner_of(place)
        row = await session.scalar(
            select(ConfigVariable).where(
                ConfigVariable.owner_id == owner_id, ConfigVariable.name == new.name
            )
        )
        said = "replaced"
        if row is None:
            row, said = ConfigVariable(scope=scope, owner_id=owner_id, name=new.name), "created"
            session.add(row)
        elif (self.text(place, row), row.secret, row.buildtime) == (
            new.value, new.secret, new.buildtime,
        ):  # fmt: skip
            return row, "unchanged"
        self.write(place, row, new)
        await session.flush()
        return row, said

    def write(self, place: Place, row: ConfigVariable, new: NewVariable) -> None:
        """Put a value into a row: in clear, or sealed when it is secret."""
        row.secret, row.buildtime = new.secret, new.buildtime
        row.value = None if new.secret else new.value
        row.sealed = None
        if new.secret:
            row.sealed = self._vault.seal(place.org.data_key, new.value, _context(row))

    def text(self, place: Place, row: ConfigVariable) -> str:
        """Return a variable's text, opened when it is secret. Never for a response."""
        if row.sealed is None:
            return row.value or ""
        return self._vault.open(place.org.data_key, row.sealed, _context(row))

    async def resolved(self, session: AsyncSession, place: Place) -> list[Resolved]:
        """Merge the four levels of a service; secrets are left closed, their text empty."""
        rows = await self._rows(session, place)
        return resolve(_variable(row, row.value or "") for row in rows)

    async def opened(self, session: AsyncSession, place: Place) -> list[Variable]:
        """Merge the four levels of a service, with secrets open. Never for a response."""
        rows = {(row.scope, row.name): row for row in await self._rows(session, place)}
        merged = resolve(_variable(row, row.value or "") for row in rows.values())
        nearest = (rows[one.variable.scope, one.variable.name] for one in merged)
        return [_variable(row, self.text(place, row)) for row in nearest]

    async def _rows(self, session: AsyncSession, place: Place) -> list[ConfigVariable]:
        owners = [row.id for row in (place.org, place.project, place.env, place.svc)]
        found = select(ConfigVariable).where(ConfigVariable.owner_id.in_(owners))
        return list(await session.scalars(found))


def _variable(row: ConfigVariable, text: str) -> Variable:
    return Variable(row.name, text, row.secret, row.buildtime, row.scope)


def _context(row: ConfigVariable) -> str:
    # A sealed value moved to another row, by whoever can write to the database, does not open.
    return f"config/{row.owner_id}/{row.name}"
