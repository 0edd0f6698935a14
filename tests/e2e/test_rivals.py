"""What goes wrong elsewhere, as its users told it: each thread is a test here.

In every one of them the old instance and the new run side by side for a while, and the router is
told too late, or by something that cannot tell the two apart.
"""

import httpx

from tests.conftest import PLAIN, App, Server, ask
from tests.e2e.helpers import build, deploy, docker, ended, host_of, until, visits

# It ends at the very moment of SIGTERM, as many programs do: a request that reaches it after that,
# or that it has not answered yet, is lost.
DOCKERFILE = """\
FROM barque/base:busybox
RUN mkdir -p /www/cgi-bin && cp /bin/true /www/{script}.js
COPY slow held /www/cgi-bin/
RUN chmod +x /www/cgi-bin/*
CMD ["sh", "-c", "trap 'exit 0' TERM; {start}; httpd -f -p $PORT -h /www & wait"]
"""
CGI = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\nbegun '\n{}\ncat /www/index.html\n"
HEALTHY = "mkdir /www/_health; echo ok > /www/_health/index.html"


def program(text: str, start: str = HEALTHY) -> dict[str, str]:
    """A program whose page says `text`, and which alone has the script of that name."""
    page = f"echo {text} > /www/index.html"
    return {
        "Dockerfile": DOCKERFILE.format(script=text, start=f"{page}; {start}"),
        "slow": CGI.format("sleep 0.2"),
        "held": CGI.format("while [ ! -e /tmp/let-go ]; do sleep 0.05; done"),
    }


def running(deployment: str) -> list[str]:
    """List the containers of a deployment that run."""
    label = f"label=barque.deployment_id={deployment}"
    return docker("ps", "--filter", label, "--format", "{{.Names}}").split()


def directly(container: str) -> str:
    """Ask an instance for its page, past the router."""
    shape = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    try:
        return ask(f"http://{docker('inspect', '-f', shape, container)}:8000/").text
    except httpx.TransportError:
        return ""


def status(app: App, deployment: str) -> str:
    return str(app.api.get(f"{app.path}/deployments/{deployment}").json()["status"])


def start(app: App, text: str) -> str:
    build(app, program(text))
    deployment = deploy(app)
    assert ended(app, deployment)["status"] == "live"
    return deployment


class Held:
    """A request that one instance has begun to answer, and does not end until it is let go."""

    def __init__(self, server: Server, app: App, container: str) -> None:
        self._container = container
        url = f"http://127.0.0.1:{server.apps_port}/cgi-bin/held"
        self._stream = httpx.stream("GET", url, headers={"Host": host_of(app)}, timeout=60)
        self._answer = self._stream.__enter__()
        assert self._answer.status_code == 200
        self._text = self._answer.iter_text()
        assert next(self._text) == "begun "

    def let_go(self) -> str:
        """Return what it answers at last."""
        docker("exec", self._container, "touch", "/tmp/let-go")
        said = "".join(self._text)
        self._stream.__exit__(None, None, None)
        return said


def test_no_502_during_rolling_updates(server: Server, app: App) -> None:
    """Coolify, issue 8627: "Rolling updates cause 502/503 errors during deployment".

    There the old container was stopped while the proxy still sent to it: half of the requests met
    a dead container, for as long as it took the proxy to notice.
    """
    start(app, "one")
    with visits(server, app) as pages, visits(server, app, "/cgi-bin/slow") as slow:
        start(app, "two")
        app.api.patch(app.path, json={"deployment_timeout": 1})
        build(app, program("bad", "true"))
        assert ended(app, deploy(app))["status"] == "failed"
        app.api.patch(app.path, json={"deployment_timeout": 60})
        assert ended(app, deploy(app, "rollback"))["status"] == "live"
    assert {page.status for page in pages + slow} == {200}
    assert {page.text for page in pages} == {"one\n", "two\n"}
    assert {page.text for page in slow} == {"begun one\n", "begun two\n"}


def test_one_switch_from_the_old_to_the_new(server: Server, app: App) -> None:
    """Dokku, issue 5627: "Caddy routing requests to old or new container during deploys".

    There both were behind the proxy from the start of the new until the end of the old, a minute
    later, and a visitor saw now the one and now the other.
    """
    old = start(app, "one")
    build(app, program("two", "true"))
    with visits(server, app) as pages:
        new = deploy(app)
        [container] = until(lambda: running(new))  # type: ignore[misc]
        # It answers, but for the health check: it must get nothing yet.
        until(lambda: directly(container) == "two\n")
        before = len(pages)
        until(lambda: len(pages) > before + 50)
        assert {page.text for page in pages} == {"one\n"}
        assert status(app, new) == "checking"
        held = Held(server, app, *running(old))
        docker("exec", container, "sh", "-c", HEALTHY)
        # From here on until it is let go the old one drains, and must get nothing more.
        until(lambda: status(app, new) == "draining")
        before = len(pages)
        until(lambda: len(pages) > before + 50)
        assert directly(*running(old)) == "one\n"
        assert held.let_go() == "one\n"
        assert ended(app, new)["status"] == "live"
    assert {page.status for page in pages} == {200}
    first_new = min(page.ended for page in pages if page.text == "two\n")
    last_old = max(page.begun for page in pages if page.text == "one\n")
    assert last_old < first_new


def test_a_new_page_finds_its_script(server: Server, app: App) -> None:
    """Dokku, issue 8282: "Traefik routes new traffic to retiring container".

    There the page came from the new container, and its script was asked of the retiring one, which
    has no such file: the page broke at every update.
    """
    old = start(app, "one")
    host, base = host_of(app), f"http://127.0.0.1:{server.apps_port}"
    held = Held(server, app, *running(old))
    build(app, program("two"))
    new = deploy(app)
    until(lambda: status(app, new) == "draining")
    for _ in range(20):
        # As browsers do: a connection for the page, and another for what it needs.
        with (
            httpx.Client(verify=PLAIN, headers={"Host": host}) as page,
            httpx.Client(verify=PLAIN, headers=page.headers) as js,
        ):
            for _ in range(5):
                text = page.get(base).text.strip()
                assert text == "two"
                assert js.get(f"{base}/{text}.js").status_code == 200
                assert js.get(f"{base}/one.js").status_code == 404
    assert running(old), "it has a request to answer still"
    assert status(app, new) == "draining"
    assert held.let_go() == "one\n"
    assert ended(app, new)["status"] == "live"
    assert running(old) == []


def test_a_reload_drops_nothing(server: Server, app: App) -> None:
    """Dokploy, issue 2109: "Reload results in temporary downtime".

    There a reload, such as for a changed variable, scaled the service to nothing and then up again
    (and, issue 1633, to one instance of however many), though deploys were set up for no downtime.
    """
    app.api.post(f"{app.path}/config", json={"name": "COLOUR", "value": "red"})
    app.api.post(f"{app.path}/scale", json={"process_counts": {"web": 2}})
    build(app, program("$COLOUR", f"sleep 0.5; {HEALTHY}"))
    deployment = deploy(app)
    assert ended(app, deployment)["status"] == "live"
    service = app.api.get(app.path).json()["id"]
    with visits(server, app) as pages:
        for verb in ("restart", "deploy"):
            if verb == "deploy":
                app.api.post(f"{app.path}/config", json={"name": "COLOUR", "value": "blue"})
            deployment = deploy(app, verb)
            while status(app, deployment) not in ("live", "failed"):
                label = f"label=barque.service_id={service}"
                assert len(docker("ps", "-q", "--filter", label).split()) >= 2
            assert status(app, deployment) == "live"
            assert len(running(deployment)) == 2
    assert {page.status for page in pages} == {200}
    assert [page.text for page in pages if page.text != "red\n"][-1] == "blue\n"
    assert app.api.get(f"{app.path}/images").json()["pagination"]["total"] == 1
