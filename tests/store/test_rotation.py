"""The master key is replaced, and everything opens before, after, and when it was cut off."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from barque.accounts import rotation
from barque.accounts.models import Organization
from barque.doctor.examining import examine
from barque.settings import Settings
from barque.store.database import Database
from barque.vault import MasterKey, Vault, VaultError, keep_master_key, load_master_key
from tests.doctor.faults import running_without_serving


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    made = Settings(data_dir=tmp_path / "data")
    made.data_dir.mkdir(mode=0o700)
    database, vault = Database(made.store_url), vault_of(made)
    await database.migrate()
    async with database.write() as session:
        for slug in ("acme", "other"):
            session.add(Organization(name=slug, slug=slug, data_key=vault.new_data_key()))
    await database.close()
    yield made


def vault_of(settings: Settings) -> Vault:
    return Vault(load_master_key(settings.master_key_file, None))


async def data_keys(settings: Settings) -> list[bytes]:
    database = Database(settings.store_url)
    async with database.read() as session:
        found = list(await session.scalars(select(Organization.data_key).order_by(Organization.id)))
    await database.close()
    return found


async def test_what_was_sealed_opens_by_the_new_key_alone(settings: Settings) -> None:
    old, (key, _) = vault_of(settings), await data_keys(settings)
    sealed, mark = old.seal(key, "secret", "here"), old.fingerprint(key, "secret")
    for _ in range(2):
        assert await rotation.rotate(settings) == 2
        new, (key, other) = vault_of(settings), await data_keys(settings)
        assert new.open(key, sealed, "here") == "secret"
        assert new.fingerprint(key, "secret") == mark
        assert new.opens(other)
        assert not old.opens(key)
        assert new.identity() == old.identity(), "its containers are still known"
        assert settings.master_key_file.stat().st_mode & 0o777 == 0o600
        old = new


async def test_one_that_was_cut_off_is_ended(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_master_key(settings.master_key_file, None)

    def keep_and_die(path: Path, master: MasterKey) -> None:
        keep_master_key(path, master)
        raise KeyboardInterrupt

    def die(_: MasterKey) -> MasterKey:
        raise KeyboardInterrupt

    # Killed before anything is committed, and once more when everything is.
    for place, name, death in (
        (rotation, "keep_master_key", keep_and_die),
        (MasterKey, "alone", die),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(place, name, death)
            with pytest.raises(KeyboardInterrupt):
                await rotation.rotate(settings)
        assert all(map(vault_of(settings).opens, await data_keys(settings)))
        found = {one.name: one for one in await examine(settings)}
        assert "barque master-key rotate" in (found["rotation"].mend or "")
    assert await rotation.rotate(settings) == 2
    after = load_master_key(settings.master_key_file, None)
    assert (after.before, after.identity) == (None, before.identity)
    assert all(map(vault_of(settings).opens, await data_keys(settings)))


async def test_refused(settings: Settings, tmp_path: Path) -> None:
    explicit = settings.model_copy(update={"secret_key": "0123456789" * 4})
    with pytest.raises(rotation.RotationRefused, match="BARQUE_SECRET_KEY"):
        await rotation.rotate(explicit)
    with pytest.raises(rotation.RotationRefused, match="holds no platform"):
        await rotation.rotate(Settings(data_dir=tmp_path / "nowhere"))
    settings.master_key_file.write_bytes(bytes(32))
    with pytest.raises(VaultError):
        await rotation.rotate(settings)
    assert settings.master_key_file.read_bytes() == bytes(32), "a wrong key is replaced by none"
    with (
        running_without_serving(settings),
        pytest.raises(rotation.RotationRefused, match="stop it first"),
    ):
        await rotation.rotate(settings)
