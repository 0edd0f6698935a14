"""Writes the next migration: what the models declare and the migrations lack.

`make migration what="Let a service choose its update order"`; then read what was written.
"""

import sys

from alembic import command
from sqlalchemy import create_engine

import barque.app  # noqa: F401 - it imports every table
from barque.store.migrations.upgrade import config, newest, upgrade

if __name__ == "__main__":
    with create_engine("sqlite://").begin() as connection:
        upgrade(connection)
        number = f"{int(newest()) + 1:04}"
        command.revision(config(connection), sys.argv[1], autogenerate=True, rev_id=number)
