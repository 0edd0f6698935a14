"""What organizations, projects, environments and services have in common."""

from collections.abc import Mapping
from typing import Unpack

from barque.client.shapes import BulkAnswer, ChangedVariable, VariableView
from barque.client.verbs import C, Handle, verb
from barque.client.work import Work


class Place(Handle[C]):
    """One of the four levels: each can be deleted, and has config."""

    @verb
    def delete(self, *, cascade: bool = False) -> Work[None]:
        """Delete it; with what it holds only where `cascade` says so."""
        return self._ask("DELETE", cascade="true" if cascade else None)

    @verb
    def config(self) -> Work[list[VariableView]]:
        """List the config of this level."""
        return self._ask("GET", "/config")

    @verb
    def set_config(
        self, values: Mapping[str, str], *, secret: bool = False, buildtime: bool = False
    ) -> Work[BulkAnswer]:
        """Set config variables, all or nothing; says what was created, replaced, unchanged."""
        variables = [
            {"name": name, "value": value, "secret": secret, "buildtime": buildtime}
            for name, value in values.items()
        ]
        return self._ask("POST", "/config/bulk", {"variables": variables})

    @verb
    def import_config(
        self, dotenv: str, *, secret: bool = False, buildtime: bool = False
    ) -> Work[BulkAnswer]:
        """Set config variables from dotenv text, all or nothing."""
        body = {"raw": dotenv, "secret": secret, "buildtime": buildtime}
        return self._ask("POST", "/config/bulk", body)

    @verb
    def change_config(self, name: str, **fields: Unpack[ChangedVariable]) -> Work[VariableView]:
        """Change a config variable of this level. Raises `KeyError` where there is none."""
        config_id = yield from self._variable(name)
        return (yield from self._ask("PATCH", f"/config/{config_id}", fields))

    @verb
    def unset_config(self, name: str) -> Work[None]:
        """Delete a config variable of this level. Raises `KeyError` where there is none."""
        config_id = yield from self._variable(name)
        yield from self._ask("DELETE", f"/config/{config_id}")

    def _variable(self, name: str) -> Work[str]:
        for row in (yield from self._ask("GET", "/config")):
            if row["name"] == name:
                return str(row["id"])
        raise KeyError(name)
