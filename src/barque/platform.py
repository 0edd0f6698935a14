"""The platform, assembled: every part made once, from the settings."""

from barque.accounts.keys import Keys
from barque.accounts.service import administrator_key
from barque.config.service import Config
from barque.services.place import Places
from barque.settings import Settings
from barque.store.cache import Cache
from barque.store.database import Database
from barque.vault import Vault, load_master_key, write_private


class Platform:
    """Everything that endpoints work with."""

    def __init__(self, settings: Settings) -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.settings = settings
        self.database = Database(settings.store_url)
        self.cache = Cache(self.database)
        self.keys = Keys(self.database, self.cache)
        self.places = Places(self.database, self.cache)
        key_file = settings.data_dir / "secret.key"
        self.vault = Vault(load_master_key(key_file, settings.secret_key))
        self.config = Config(self.vault)

    async def start(self) -> None:
        """Make the tables, and at the first start the administrator's key (a file, 0600)."""
        await self.database.create_tables()
        async with self.database.write() as session:
            key = await administrator_key(session)
            if key is not None:
                write_private(self.settings.admin_key_file, f"{key}\n".encode())

    async def stop(self) -> None:
        """Close what was opened."""
        await self.database.close()
