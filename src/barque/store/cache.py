"""Answers that are kept until one of the tables that they were read from changes."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from barque.store.database import Database

T = TypeVar("T")


class Cache:
    """Remembers what `load` returned, as long as none of its tables has been written to.

    It keeps at most `size` entries; the least recently used leave first. Over a database that
    other processes write to as well, it remembers nothing.
    """

    def __init__(self, database: Database, size: int = 10_000) -> None:
        self._database = database
        self._size = size
        self._entries: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()

    async def get(
        self, key: Hashable, tables: tuple[str, ...], load: Callable[[], Awaitable[T]]
    ) -> T:
        """Return the entry of `key`, or load it; `tables` are all that `load` reads."""
        changes = self._database.changes
        # Counters only grow, so their sum changes if and only if one of them does.
        present = sum(changes[table] for table in tables)
        entry = self._entries.get(key)
        if entry is not None and entry[0] == present:
            self._entries.move_to_end(key)
            return entry[1]  # type: ignore[no-any-return]
        value = await load()
        if self._database.exclusive:
            self._entries[key] = (present, value)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return value
