"""`git push` to the platform itself: the real git, over HTTP."""

import base64
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import App, Server, make_app, make_env
from tests.e2e.helpers import ended, serving, until, web

BROKEN = {"Dockerfile": "FROM barque/base:busybox\nRUN echo so && exit 3\n"}


class Clone:
    """Somebody's repository, with the service as its remote."""

    def __init__(self, server: Server, app: App, folder: Path, key: str | None = None) -> None:
        self.app = app
        self.folder = folder
        self.address = "/".join(app.path.split("/")[2::2])
        self.url = f"{server.url}/git/{self.address}.git"
        self._key = key or server.key
        app.repository = folder
        if not folder.exists():
            subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    def command(self, *arguments: str) -> list[str]:
        return ["git", "-C", str(self.folder), *arguments]

    def push(self, what: str = "main", *options: str) -> subprocess.CompletedProcess[str]:
        return self.git("push", *options, self.url, what)

    @property
    def environment(self) -> dict[str, str]:
        # The helper reads the key from the environment: it is in no list of processes.
        helper = '!f() { echo username=x; echo "password=$PUSH_KEY"; }; f'
        return {
            **os.environ, "PUSH_KEY": self._key, "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "credential.helper", "GIT_CONFIG_VALUE_0": helper,
        }  # fmt: skip

    def tip(self) -> str:
        return self.git("ls-remote", self.url, "refs/heads/main").stdout[:40]


@pytest.fixture
def clone(server: Server, app: App, tmp_path: Path) -> Iterator[Clone]:
    app.api.patch(app.path, json={"github_repository": None})
    return Clone(server, app, tmp_path / "clone")


def test_a_push_builds_and_deploys(server: Server, clone: Clone) -> None:
    app = clone.app
    (clone.folder / "link").symlink_to("index")
    # Over 1 MiB, git sends it in chunks, and asks beforehand whether it may.
    noise = os.urandom(1024 * 1024).hex()
    files = {".gitattributes": "index export-ignore\n", "index": "x", "noise": noise}
    first = app.commit({**web("pushed"), **files})
    done = clone.push()
    assert done.returncode == 0, done.stderr
    said = [line.removeprefix("remote: ").strip() for line in done.stderr.splitlines()]
    url = app.api.get(app.path).json()["url"]
    for line in (f"building commit {first}", "live: the new release serves", f"{url} is deployed"):
        assert line in said, done.stderr
    assert serving(server, app).text == "pushed\n"
    image = app.image(1)
    assert (image["source"], image["commit_sha"], image["ref"]) == ("push", first, "main")
    rows = app.api.get(f"{app.path}/deployments").json()["items"]
    assert [(row["status"], row["trigger"]) for row in rows] == [("live", "git-push")]
    # What is refused leaves everything as it was.
    second = app.commit(BROKEN)
    failed = clone.push()
    assert failed.returncode == 1
    assert "refused: image 2 is not built:" in failed.stderr
    assert "exit code: 3" in failed.stderr
    assert clone.tip() == first
    assert serving(server, app).text == "pushed\n"
    assert app.image(2)["commit_sha"] == second
    # A deployment that fails is told of, but the push has succeeded.
    third = app.commit({**web("unfit"), "Procfile": "web: exit 9\n"})
    unfit = clone.push()
    assert unfit.returncode == 0, unfit.stderr
    assert "the push is accepted, but its deployment is failed" in unfit.stderr
    assert "exit code 9" in unfit.stderr
    assert clone.tip() == third
    assert serving(server, app).text == "pushed\n"
    copy = clone.folder.parent / "copy"
    assert clone.git("clone", "-q", clone.url, str(copy)).returncode == 0
    assert (copy / "index").read_text() == "x"


def test_what_is_refused_before_it_is_built(server: Server, clone: Clone) -> None:
    app = clone.app
    app.commit(web("x"))
    app.git("tag", "v1")
    other = clone.push("main:feature")
    assert other.returncode == 1
    assert "main or master is what is deployed here, not feature" in other.stderr
    assert "git push <remote> feature:main" in other.stderr
    assert clone.push("v1").returncode == 0
    app.api.patch(app.path, json={"auto_deploy_branch": "feature"})
    assert "feature is what is deployed here, not main" in clone.push("main").stderr
    app.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(clone.folder), "lib")
    app.commit({})
    assert "lib is a submodule" in clone.push("main:feature").stderr
    app.git("rm", "-qf", "lib")
    (clone.folder / "out").symlink_to("/nowhere")
    app.commit({})
    assert "leads out of the source" in clone.push("main:feature").stderr
    app.git("rm", "-q", "out")
    app.commit({})
    env = app.path.partition("/services")[0]
    app.api.patch(env, json={"protected": True})
    made = app.api.post("/api-keys", json={"name": "pusher", "scope": "deploy"}).json()
    pusher = Clone(server, app, clone.folder, made["key"])
    assert "wider scope than 'deploy'" in pusher.push("main:feature").stderr
    app.api.post(f"{app.path}/lock", json={"reason": "a freeze"})
    assert "a freeze" in clone.push("main:feature").stderr
    assert app.api.get(f"{app.path}/images").json()["pagination"]["total"] == 0


def test_who_may_push(server: Server, clone: Clone, tmp_path: Path) -> None:
    app = clone.app
    app.commit(web("x"))
    asked = httpx.get(f"{clone.url}/info/refs?service=git-receive-pack")
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].startswith("Basic ")
    for user, password in (("barque_wrong", ""), ("x", "barque_wrong"), ("x", "\udcff")):
        pair = base64.b64encode(f"{user}:{password}".encode(errors="surrogateescape")).decode()
        headers = {"Authorization": f"Basic {pair}"}
        url = f"{clone.url}/info/refs?service=git-receive-pack"
        assert httpx.get(url, headers=headers).status_code == 401
    wrong = Clone(server, app, clone.folder, "barque_wrong").push()
    assert wrong.returncode == 128
    assert "Authentication failed" in wrong.stderr
    made = app.api.post("/api-keys", json={"name": "reader", "scope": "read"}).json()
    reader = Clone(server, app, clone.folder, made["key"])
    assert reader.git("ls-remote", reader.url).returncode == 0
    refused = reader.push()
    assert refused.returncode == 128
    assert "403" in refused.stderr
    stranger = app.api.post("/orgs", json={"name": f"o-{uuid.uuid4().hex[:10]}"}).json()
    body = {"name": "there", "scope": "deploy", "org": stranger["slug"]}
    other = Clone(server, app, clone.folder, app.api.post("/api-keys", json=body).json()["key"])
    assert "not found" in other.push().stderr
    assert app.api.get(f"{app.path}/images").json()["pagination"]["total"] == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "a/b/c/d.git/HEAD", 404), ("GET", "a/b/c/d.git/info/refs", 403),
        ("GET", "a/b/c/d.git/info/refs?service=git-archive", 403), ("GET", "", 404),
        ("GET", "a/b/c/../../d.git/info/refs?service=git-upload-pack", 404),
        ("PUT", "a/b/c/d.git/git-receive-pack", 404),
        ("POST", "a/b/c/d.git/git-receive-pack", 401),
    ],
)  # fmt: skip
def test_what_is_no_repository(server: Server, method: str, path: str, status: int) -> None:
    answer = httpx.request(method, f"{server.url}/git/{path}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_pushes_at_once_take_turns(server: Server, clone: Clone) -> None:
    app = clone.app
    app.commit({"Dockerfile": f"{web('first')['Dockerfile']}RUN sleep 2; echo {uuid.uuid4()}\n"})
    first = subprocess.Popen(
        clone.command("push", clone.url, "main"), env=clone.environment, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    until(lambda: app.api.get(f"{app.path}/images").json()["items"])
    app.git("commit", "-q", "--amend", "--allow-empty", "-m", "another")
    second = clone.push()
    assert first.stderr is not None
    assert first.wait(timeout=120) == 0, first.stderr.read()
    assert second.returncode == 1
    assert "waiting for another push" in second.stderr
    assert "somebody else has pushed meanwhile" in second.stderr
    assert clone.tip() == app.image(1)["commit_sha"]
    assert app.api.get(f"{app.path}/images").json()["pagination"]["total"] == 1


def test_no_key_is_seen_and_a_killed_client_loses_nothing(server: Server, clone: Clone) -> None:
    app = clone.app
    sha = app.commit(
        {"Dockerfile": f"{web('kept')['Dockerfile']}RUN sleep 2; echo {uuid.uuid4()}\n"}
    )
    push = subprocess.Popen(
        clone.command("push", clone.url, "main"), env=clone.environment,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    app.image(1, "building")
    hooks = _environments(b"BARQUE_TELL=")
    assert hooks, "the hook waits for the build"
    assert not any(server.key.encode() in environment for environment in hooks)
    seen = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
    assert server.key not in seen
    os.killpg(push.pid, 9)
    push.wait()
    assert app.image(1)["status"] == "built", app.log(1)
    # The push comes to its end all the same.
    until(lambda: clone.tip() == sha)
    row = app.api.get(f"{app.path}/deployments").json()["items"][0]
    assert ended(app, row["id"])["status"] == "live"
    assert serving(server, app).text == "kept\n"


def _environments(having: bytes) -> list[bytes]:
    found = []
    for process in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = process.read_bytes()
        except OSError:
            continue
        if having in environment:
            found.append(environment)
    return found


def test_the_platform_is_killed_in_the_middle(own_server: Server, tmp_path: Path) -> None:
    with own_server.client() as client:
        app = make_app(own_server, client, make_env(client))
        clone = Clone(own_server, app, tmp_path / "clone")
        app.commit(
            {"Dockerfile": f"{web('again')['Dockerfile']}RUN sleep 3; echo {uuid.uuid4()}\n"}
        )
        killer = threading.Thread(target=lambda: (app.image(1, "building"), own_server.kill()))
        killer.start()
        broken = clone.push()
        killer.join()
        assert broken.returncode != 0
        own_server.start()
        repository = next((own_server.data_dir / "git").glob("*.git"))
        sound = ["git", "-C", str(repository), "fsck", "--strict"]
        assert subprocess.run(sound, check=False).returncode == 0
        assert clone.tip() == ""
        # The same commit again: it goes on with what was begun.
        again = clone.push()
        assert again.returncode == 0, again.stderr
        assert "pushed before, and is image 1" in again.stderr
        assert serving(own_server, app).text == "again\n"
        assert clone.tip() == app.git("rev-parse", "main")
        assert client.get(f"{app.path}/images").json()["pagination"]["total"] == 1
        # What was pushed goes with its service.
        assert client.delete(app.path).status_code == 204
        own_server.kill()
        own_server.start()
        until(lambda: not repository.exists())


def test_the_remote_by_the_program(server: Server, clone: Clone, tmp_path: Path) -> None:
    environment = {k: v for k, v in clone.environment.items() if not k.startswith("GIT_CONFIG_")}
    environment |= {"XDG_CONFIG_HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull}

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments, env=environment, cwd=clone.folder, capture_output=True, text=True,
            input=stdin, check=False,
        )  # fmt: skip

    barque = (sys.executable, "-m", "barque")
    assert run(*barque, "login", server.url, stdin=server.key).returncode == 0
    added = run(*barque, "git", "remote", "-s", clone.address)
    assert (added.returncode, added.stdout.startswith(f"barque is {clone.url}\n")) == (0, True)
    assert run(*barque, "git", "remote", "-s", clone.address).returncode == 0
    assert server.key not in (clone.folder / ".git" / "config").read_text()
    clone.app.commit(web("by the remote"))
    pushed = run("git", "push", "barque", "main")
    assert pushed.returncode == 0, pushed.stderr
    assert serving(server, clone.app).text == "by the remote\n"
    elsewhere = run(*barque, "git", "credential", "get", stdin="protocol=http\nhost=evil.example\n")
    assert (elsewhere.returncode, elsewhere.stdout) == (0, "")
    taken = run(*barque, "git", "remote", "-s", f"{clone.address}x")
    assert taken.returncode == 4
    assert "not found" in taken.stderr
