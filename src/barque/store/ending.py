"""Whether something that goes on in the background has ended."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from barque.store.database import Database

GONE = "deleted"


def ending(
    database: Database, table: Any, row_id: str, ends: Collection[str]
) -> Callable[[], Awaitable[str | None]]:
    """Return what tells the status of a row once it is one of `ends`, and None before.

    A row that is no more has the status `deleted`.
    """

    async def ended() -> str | None:
        async with database.read() as session:
            row = await session.get(table, row_id)
        if row is None:
            return GONE
        status: str = row.status
        return status if status in ends else None

    return ended
