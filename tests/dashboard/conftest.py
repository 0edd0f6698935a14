"""A real Chromium, and one deployed service that the tests of a module share."""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import WEB, App, Server, free_port, make_app, make_env
from tests.dashboard.apart import network_apart, relay
from tests.e2e.helpers import build, deploy, ended

ARTEFACTS = Path(__file__).parent.parent / "artefacts" / "dashboard"
# Debian's, or else Playwright's own.
CHROMIUM = shutil.which("chromium-headless-shell")
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
# A form that is refused is answered with its page, and Chromium notes the status.
_REFUSED = "status of 422"
ATTACK = "<script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
# It says something each moment, and something that must stay text; the worker can be scaled.
PROCFILE = (
    f'web: (echo "{ATTACK}"; while true; do echo tick; sleep 0.5; done) & '
    "exec httpd -f -p $PORT -h /www\n"
    "worker: sleep 3600\n"
)
SAYING = {**WEB, "Procfile": PROCFILE}


@dataclass
class Site:
    """The platform as a browser sees it, and a service of it.

    `wrong` are the errors of its pages' consoles.
    """

    server: Server
    browser: Browser
    app: App
    wrong: list[str] = field(default_factory=list)

    @property
    def org(self) -> str:
        return "/".join(self.app.path.split("/")[:3])

    @property
    def env(self) -> str:
        return self.app.path.partition("/services/")[0]

    def context(self, key: str | None = None, **options: Any) -> BrowserContext:
        """Open a browser of its own, signed in through the form."""
        # What moves all the while is drawn by the processor here, and takes much of it.
        options = {"base_url": self.server.url, "reduced_motion": "reduce", **options}
        context = self.browser.new_context(**options)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("API key").fill(key or self.server.key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.server.url}/")
        page.close()
        return context

    def page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("console", lambda said: self._note(said.type == "error", said.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("dialog", lambda dialog: self._note(True, f"dialog: {dialog.message}"))
        return page

    def _note(self, wrong: bool, text: str) -> None:
        if wrong and _REFUSED not in text:
            self.wrong.append(text)


@pytest.fixture(scope="package")
def browser(server: Server) -> Iterator[Browser]:
    # For this package and no longer: its event loop would be in the way of asynchronous tests.
    with ExitStack() as stack:
        with network_apart() as apart:
            if apart:
                door = stack.enter_context(socket.create_server(("127.0.0.1", server.port)))
            playwright = stack.enter_context(sync_playwright())
            running = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
            stack.enter_context(running)
        if apart:
            stack.enter_context(relay(door))
        yield running


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Not the one that other tests share: they clear it.
    running = Server(tmp_path_factory.mktemp("dashboard") / "barque", free_port())
    running.start()
    yield running
    running.end()


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="package")
def site(server: Server, browser: Browser) -> Iterator[Site]:
    with server.client() as api:
        yield Site(server, browser, make_app(server, api, make_env(api)))


@pytest.fixture
def live(site: Site) -> App:
    """Have the service live, whichever test runs first or alone."""
    app = site.app
    if app.api.get(app.path).json()["latest_deployment"] is None:
        build(app, SAYING)
        assert ended(app, deploy(app))["status"] == "live"
    return app


@pytest.fixture
def page(site: Site) -> Iterator[Page]:
    context = site.context()
    yield site.page(context)
    context.close()
    wrong, site.wrong = site.wrong, []
    assert not wrong


@pytest.fixture
def key_for(site: Site, api: httpx.Client) -> Callable[[str, str], str]:
    def make(email: str, role: str) -> str:
        added = api.post(f"{site.org}/members", json={"email": email, "role": role})
        assert added.status_code == 201
        body = {"name": "k", "org": site.org.removeprefix("/orgs/"), "user": email}
        return str(api.post("/api-keys", json=body).json()["key"])

    return make
