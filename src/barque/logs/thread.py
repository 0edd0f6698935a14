"""A log file in a thread of its own, so that the platform never waits for the disk."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from barque.logs.file import LogFile

T = TypeVar("T")


class LogsUnavailable(Exception):
    """The log file cannot be written or read just now: the disk is full, the file locked."""


class LogThread:
    """One connection to the log file; what it is asked for is done in that order."""

    def __init__(self, connect: Callable[[], LogFile]) -> None:
        self._connect = connect
        self._file: LogFile | None = None
        self._executor = ThreadPoolExecutor(1, "logs")

    async def run(self, work: Callable[[LogFile], T]) -> T:
        """Do some work on the file. Raises `LogsUnavailable`."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._run, work)
        except sqlite3.Error as error:
            raise LogsUnavailable(f"the log store does not answer ({error})") from error

    def _run(self, work: Callable[[LogFile], T]) -> T:
        # Opened here, since a connection belongs to its thread; and again after it failed to.
        if self._file is None:
            self._file = self._connect()
        return work(self._file)

    async def aclose(self) -> None:
        """Close the file, once all that was asked for is done."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._close)
        self._executor.shutdown()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
