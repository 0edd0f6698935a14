"""A sign-in ends in time."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from barque.accounts.keys import Keys
from barque.accounts.limits import Limits
from barque.accounts.models import SignIn
from barque.accounts.service import make_key, user_of
from barque.accounts.sign_ins import sign_in
from barque.errors import Unauthorized
from barque.settings import Settings
from barque.store.cache import Cache
from barque.store.database import Database
from barque.store.tables import now


async def test_a_sign_in_ends_in_time(tmp_path: Path) -> None:
    database = Database(Settings(data_dir=tmp_path).store_url)
    await database.migrate()
    keys = Keys(database, Cache(database), Limits(0, 0))
    async with database.write() as session:
        user = await user_of(session, "a@example.org")
        key, _ = await make_key(session, user.id, "k", "read")
        token = sign_in(session, key.id, 1)
    assert (await keys.signed_in(token)).email == "a@example.org"
    async with database.write() as session:
        await session.execute(update(SignIn).values(expires_at=now() - timedelta(seconds=1)))
    with pytest.raises(Unauthorized, match="sign in again"):
        await keys.signed_in(token)
    await database.close()
