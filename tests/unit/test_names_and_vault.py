import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from barque.names import is_slug, slugify
from barque.vault import MasterKey, Vault, VaultError, load_master_key


@given(st.text())
def test_slugs_are_slugs_and_stay(name: str) -> None:
    with contextlib.suppress(ValueError):
        slug = slugify(name)
        assert is_slug(slug)
        assert slugify(slug) == slug


@given(st.text(), st.text())
def test_vault_round_trip(secret: str, context: str) -> None:
    vault = Vault(MasterKey.first(bytes(32)))
    key = vault.new_data_key()
    sealed = vault.seal(key, secret, context)
    assert vault.open(key, sealed, context) == secret
    with pytest.raises(VaultError):
        vault.open(key, sealed, context + "x")
    with pytest.raises(VaultError):
        Vault(MasterKey.first(bytes(31) + b"x")).open(key, sealed, context)


def test_master_key_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    assert load_master_key(path, None) == load_master_key(path, None)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="at least 32"):
        load_master_key(path, "short")
