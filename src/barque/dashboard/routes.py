"""How pages are declared, and what every page works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request

from barque.accounts.keys import Actor
from barque.dashboard.inside import PROJECT, SVC, Inside
from barque.dashboard.plots import Plots
from barque.errors import BarqueError, Invalid
from barque.services.place import Place, may

if TYPE_CHECKING:
    from barque.platform import Platform

_MOST_FIELDS = 500


@dataclass(slots=True)
class View:
    """One request for a page, or from a form of it, by a caller who is known.

    `problem` is what kept a form from being carried out, `form` what it said. Whoever is
    `watching` sees changes as they happen.
    """

    request: Request[Any, Any, Any]
    platform: "Platform"
    actor: Actor
    place: Place
    api: Inside
    plots: Plots
    csrf: str = ""
    form: dict[str, str] = field(default_factory=dict)
    problem: BarqueError | None = None
    watching: bool = False

    @property
    def path(self) -> dict[str, str]:
        """The parameters of the path."""
        return self.request.path_params

    @property
    def query(self) -> dict[str, str]:
        """The query parameters; of a repeated one the last."""
        return dict(self.request.query_params.multi_items())

    @property
    def here(self) -> str:
        """The address of this page, without its query."""
        return self.request.url.path.rstrip("/") or "/"

    @property
    def project_at(self) -> str:
        """The address of the project that the page is about."""
        return PROJECT.format(**self.path)

    @property
    def service_at(self) -> str:
        """The address of the service that the page is about."""
        return SVC.format(**self.path)

    def may(self, role: str) -> bool:
        """Tell whether the caller may act as `role` here: what they may not is not offered."""
        return self.place.org is not None and may(self.actor, self.place, role)

    @property
    def may_deploy(self) -> bool:
        """Tell whether the caller may deploy here: to a protected environment as admin only."""
        return self.may("admin" if self.place.env.protected else "developer")

    def checked(self, name: str) -> bool:
        """Tell whether a box of the form is checked."""
        return name in self.form

    def given(self, *names: str) -> dict[str, Any]:
        """Return fields of the form as a body; an empty one is null."""
        return {name: self.form.get(name, "").strip() or None for name in names}

    def filled(self, *names: str) -> dict[str, Any]:
        """Return those fields of the form that are not empty."""
        return {name: value for name, value in self.given(*names).items() if value is not None}

    def values(self, found: Any, fields: Callable[["View"], dict[str, Any]]) -> Any:
        """Return what a form to save holds: what is found, or what was said and refused."""
        refused = self.problem is not None and self.form.get("do") == "save"
        return {**found, **fields(self)} if refused else found

    def changed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return those fields that are not as the page showed them.

        Whatever others changed since then stays as they have it. Raises `Invalid`.
        """
        try:
            shown = msgspec.json.decode(self.form.get("shown", ""), type=dict[str, Any])
        except msgspec.DecodeError:
            raise Invalid.field("shown", "could not be read: load the page again") from None
        return {name: value for name, value in fields.items() if value != shown.get(name)}

    def number(self, name: str) -> int:
        """Return a whole number of the form. Raises `Invalid`."""
        text = self.form.get(name, "").strip()
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise Invalid.field(name, "must be a whole number")
        return int(text)


Showing = Callable[[View], Awaitable[dict[str, Any]]]
Doing = Callable[[View], Awaitable["str | dict[str, Any]"]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: what it shows by which template, and what its forms do.

    `every` is the most seconds between two looks at what is shown, for whoever watches.
    """

    path: str
    template: str
    show: Showing
    every: float
    forms: dict[str, Doing] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """A name that no other page has, but for the levels of config."""
        return self.template.removesuffix(".html")

    def form(self, name: str) -> Callable[[Doing], Doing]:
        """Declare what a form of the page does.

        It returns the address to go on to, or more to show on the page.
        """

        def declare(doing: Doing) -> Doing:
            self.forms[name] = doing
            return doing

        return declare


@dataclass(slots=True)
class Pages:
    """The pages of one part of the dashboard."""

    found: list[Page] = field(default_factory=list)

    def page(self, path: str, template: str, every: float = 30.0) -> Callable[[Showing], Page]:
        """Declare a page."""

        def declare(show: Showing) -> Page:
            page = Page(path, template, show, every)
            self.found.append(page)
            return page

        return declare


def fields_of(body: bytes) -> dict[str, str]:
    """Read a form as it was posted; of a repeated field the last. Raises `Invalid`."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise Invalid.field("form", "could not be read: load the page again") from None
    # Forms say CR LF where people pressed Enter.
    return {name: value.replace("\r\n", "\n") for name, value in pairs}
