"""An installation that nobody has started."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from barque.accounts.models import Organization
from barque.settings import Settings
from barque.store.database import Database
from barque.vault import Vault, load_master_key
from tests.conftest import free_port


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a platform that has not been started, with ports that nobody has."""
    return Settings(data_dir=tmp_path / "data", port=free_port(), apps_port=free_port())


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    settings.data_dir.mkdir(mode=0o700)
    made = Database(settings.store_url)
    await made.migrate()
    vault = Vault(load_master_key(settings.master_key_file, None))
    async with made.write() as session:
        session.add(Organization(name="Acme", slug="acme", data_key=vault.new_data_key()))
    yield made
    await made.close()
