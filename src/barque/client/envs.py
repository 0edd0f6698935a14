"""One environment, and its services."""

from typing import Unpack

from barque.client.places import Place
from barque.client.shapes import (
    ChangedEnvironment,
    EnvironmentView,
    NewService,
    ServiceRow,
    ServiceView,
)
from barque.client.verbs import C, verb
from barque.client.work import Work


class Env(Place[C]):
    """One environment."""

    @verb
    def get(self) -> Work[EnvironmentView]:
        """Show the environment."""
        return self._ask("GET")

    @verb
    def update(self, **fields: Unpack[ChangedEnvironment]) -> Work[EnvironmentView]:
        """Change the environment; its slug stays."""
        return self._ask("PATCH", "", fields)

    @verb
    def services(self) -> Work[list[ServiceRow]]:
        """List its services."""
        return self._ask("GET", "/services")

    @verb
    def create_service(self, **fields: Unpack[NewService]) -> Work[ServiceView]:
        """Make a service in it."""
        return self._ask("POST", "/services", fields)
