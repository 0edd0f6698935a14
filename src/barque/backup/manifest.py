"""What a backup says of itself."""

from datetime import datetime
from typing import Literal

import msgspec

from barque import __version__

FORMAT = 1
Kind = Literal["sqlite", "postgresql"]


class BackupError(Exception):
    """A backup cannot be taken or restored; the message says why, and what to do."""


class Manifest(msgspec.Struct, frozen=True):
    """Which installation a backup is of, and of when.

    `revision` is the migration that its tables are at, `platform` what tells the installation from
    others, `heads` the branch that each service's repository checks out, and `tables` the columns
    of each table, in the order in which their rows can be put back.
    """

    made: datetime
    kind: Kind
    revision: str
    platform: str
    version: str = __version__
    format: int = FORMAT
    heads: dict[str, str] = {}
    tables: dict[str, list[str]] = {}
    settings: dict[str, str] = {}
