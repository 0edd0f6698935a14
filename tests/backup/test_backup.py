"""A backup that is taken while the platform runs holds everything, and is put back whole."""

import asyncio
import gzip
import os
import shutil
import sqlite3
import stat
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import select, text

from barque.accounts.models import Organization
from barque.audit.models import AuditEntry
from barque.backup import archive, layout, sqlite
from barque.backup.manifest import BackupError
from barque.backup.restoring import restore
from barque.backup.taking import take
from barque.doctor.examining import examine
from barque.pushes.repositories import Repositories
from barque.routing.haproxy import HAProxyRouter
from barque.settings import Settings
from barque.store.database import Database
from barque.vault import Vault, load_master_key
from tests.conftest import App, Server, free_port, make_app, make_env
from tests.e2e.helpers import build, containers, deploy, docker, ended, serves, until
from tests.platforms import run_barque
from tests.postgresql import PostgreSQL

Done = subprocess.CompletedProcess[str]
PAGE = (
    "FROM barque/base:busybox\nRUN mkdir -p /www/_health && echo ok > /www/_health/index.html\n"
    'CMD ["sh", "-c", "echo {} $TOKEN > /www/index.html; exec httpd -f -p $PORT -h /www"]\n'
)
# What the service says in its first, second and third release.
SAYS = ("one", "two", "three")
# Where the copying of a PostgreSQL database is held: some tables are copied before it, some after.
IN_THE_MIDDLE = "sign_ins"


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> tuple[str | None, str | None]:
    """The database that is backed up, and the one it is put back into; None is the data dir's."""
    if request.param == "sqlite":
        return None, None
    postgresql: PostgreSQL = request.getfixturevalue("postgresql")
    return postgresql.database(), postgresql.database()


@pytest.fixture
def stored(databases: tuple[str | None, str | None], tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "barque", free_port(), database=databases[0])
    running.start()
    yield running
    running.end()


def barque(server: Server, command: str, file: Path, *options: str, stdin: str = "") -> Done:
    environment = {**os.environ}
    if server.database is not None:
        environment["BARQUE_DATABASE_URL"] = server.database
    arguments = [command, str(file), "--data-dir", str(server.data_dir), *options]
    return run_barque(arguments, environment, file.parent, stdin)


def test_everything_comes_back(
    stored: Server, databases: tuple[str | None, str | None], tmp_path: Path
) -> None:
    file, sealed, passphrase = tmp_path / "all.backup", ("--passphrase-file", "-"), "a passphrase\n"
    with stored.client() as api:
        env = make_env(api)
        app = make_app(stored, api, env)
        secret = {"name": "TOKEN", "value": "hidden-value", "secret": True}
        assert api.post(f"{app.path}/config", json=secret).status_code == 201
        release(app, SAYS[0])
        org = env.partition("/projects")[0]
        known = {
            path: api.get(path).json()
            for path in (
                f"{app.path}/releases", f"{app.path}/config", f"{app.path}/images/1/log",
                "/api-keys",
            )
        }  # fmt: skip
        taken = amid_writing(
            stored, app, env,
            lambda: barque(stored, "backup", file, "--images", *sealed, stdin=passphrase),
        )  # fmt: skip
        assert (taken.returncode, taken.stderr) == (0, "")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        names = containers(app, "-a")
        images = docker(
            "image",
            "ls",
            "--filter",
            f"label=barque.org={org.split('/')[2]}",
            "--format",
            "{{.ID}}",
        )
    assert "stop it first" in barque(stored, "restore", file).stderr
    stored.kill()
    # Another machine: no router, no containers, no image.
    asyncio.run(HAProxyRouter(stored.data_dir / "router", "0.0.0.0", 1).stop())
    docker("rm", "--force", *names)
    docker("image", "rm", "--force", *images.split())
    stored.data_dir, stored.database = tmp_path / "other", databases[1]
    assert "--passphrase-file" in barque(stored, "restore", file).stderr
    back = barque(stored, "restore", file, *sealed, stdin=passphrase)
    assert back.returncode == 0, back.stderr
    stored.start()
    with stored.client() as api:
        for path, value in known.items():
            assert all_of(value, api.get(path).json()), path
        check_of_one_moment(api, org, app.path)
        app.api = api
        until(lambda: serves(stored, app, f"{SAYS[live(app) - 1]} hidden-value\n"))
    settings = Settings(
        data_dir=stored.data_dir, port=stored.port, apps_port=stored.apps_port,
        database_url=stored.database,
    )  # fmt: skip
    found = asyncio.run(examine(settings))
    assert [one for one in found if one.verdict != "ok"] == []


def release(app: App, says: str) -> None:
    build(app, {"Dockerfile": PAGE.format(says)})
    assert ended(app, deploy(app))["status"] == "live"


def live(app: App) -> int:
    """Return the release that is live, once there is one."""
    rows = app.api.get(f"{app.path}/deployments", params={"status": "live"}).json()["items"]
    return int(rows[0]["release_version"]) if rows else 1


def amid_writing(server: Server, app: App, env: str, take: Callable[[], Done]) -> Done:
    """Take a backup while everything is written to; of PostgreSQL, also amid its copying."""
    with ThreadPoolExecutor() as pool, Writing(server, env), held(server.database) as waited_for:
        taking = pool.submit(take)
        waited_for()
        for says in SAYS[1:]:
            release(app, says)
    return taking.result()


@contextmanager
def held(database: str | None) -> Iterator[Callable[[], None]]:
    """Hold whoever copies a PostgreSQL database; what this gives waits until somebody is held."""
    if database is None:
        yield lambda: None
        return
    waiting = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"

    def wait() -> None:
        with psycopg.connect(database, autocommit=True) as looking:
            until(lambda: looking.execute(waiting, [IN_THE_MIDDLE]).fetchone() != (0,))

    with psycopg.connect(database) as holder:
        holder.execute(f"LOCK TABLE {IN_THE_MIDDLE}")
        yield wait


def check_of_one_moment(api: httpx.Client, org: str, service: str) -> None:
    """See that what the audit log tells of is there, and nothing else."""
    env = service.rpartition("/services")[0]
    told = Counter(one["action"] for one in items(api, f"{org}/audit"))
    present = {
        "config.set": len(api.get(f"{org}/config").json()) + 1,
        "service.create": len(api.get(f"{env}/services").json()),
        "image.build": len(items(api, f"{service}/images")),
        "service.deploy": len(items(api, f"{service}/deployments")),
    }
    assert {action: told[action] for action in present} == present


def items(api: httpx.Client, path: str) -> list[dict[str, Any]]:
    """Read every page of a list."""
    found: list[dict[str, Any]] = []
    for page in count(1):
        answer = api.get(path, params={"page": page, "per_page": 100}).json()
        found += answer["items"]
        if page >= answer["pagination"]["pages"]:
            break
    return found


def all_of(before: Any, after: Any) -> bool:
    """Tell whether what was there before is there, whatever was written or released since."""
    if isinstance(before, dict) and "items" in before:
        return all(one in map(lasting, after["items"]) for one in map(lasting, before["items"]))
    return bool(before == after)


def lasting(row: dict[str, Any]) -> dict[str, Any]:
    """Return what never changes of a row."""
    return {name: value for name, value in row.items() if name != "status"}


class Writing:
    """Config and services are written all the while."""

    def __init__(self, server: Server, env: str) -> None:
        self._end, self._server, self._env = threading.Event(), server, env
        self._thread = threading.Thread(target=self._write)
        self.count = 0

    def __enter__(self) -> "Writing":
        self._thread.start()
        until(lambda: self.count)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        assert self.count > 1

    def _write(self) -> None:
        org = self._env.partition("/projects")[0]
        with self._server.client() as api:
            while not self._end.is_set():
                one = {"name": f"N{self.count}", "value": "x"}
                assert api.post(f"{org}/config", json=one).status_code == 201
                another = {"name": f"s{self.count}", "platform": "wind"}
                assert api.post(f"{self._env}/services", json=another).status_code == 201
                self.count += 1


async def installation(settings: Settings) -> None:
    """Make an installation by hand: an organization, what waits for its build, a repository."""
    settings.data_dir.mkdir(parents=True, mode=0o700)
    database = Database(settings.store_url)
    await database.migrate()
    vault = Vault(load_master_key(settings.master_key_file, settings.secret_key))
    async with database.write() as session:
        org = Organization(name="Acme", slug="acme", data_key=vault.new_data_key())
        session.add(org)
        await session.flush()
        entry = {"org_id": org.id, "actor": "a", "address": "b", "action": "c", "target": "d"}
        session.add(AuditEntry(**entry, after={"name": "tab\t, line\n and \\ are kept"}))
    await database.close()
    (settings.data_dir / "uploads").mkdir()
    (settings.data_dir / "uploads" / "one.tar").write_bytes(b"an upload")
    (settings.data_dir / "uploads" / "two.part").write_bytes(b"half an upload")
    (settings.data_dir / "known_hosts").write_text("github.com ssh-ed25519 AAAA\n")
    repositories = Repositories(settings.data_dir / "git", 1024 * 1024)
    pushed, _ = await repositories.of("pushed"), await repositories.of("empty")
    commit = ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--allow-empty"]
    work = settings.data_dir.parent / "work"
    for command in (
        ["git", "init", "-q", "-b", "trunk", str(work)],
        ["git", "-C", str(work), *commit, "-q", "-m", "one"],
        ["git", "-C", str(work), "push", "-q", str(pushed), "trunk", "HEAD:refs/tags/v1"],
    ):  # fmt: skip
        done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
    await repositories.follow(pushed, "refs/heads/trunk")


async def check_installation(settings: Settings) -> None:
    database = Database(settings.store_url)
    vault = Vault(load_master_key(settings.master_key_file, settings.secret_key))
    async with database.read() as session:
        org = (await session.scalars(select(Organization))).one()
        entry = (await session.scalars(select(AuditEntry))).one()
    await database.close()
    assert vault.opens(org.data_key)
    assert entry.after == {"name": "tab\t, line\n and \\ are kept"}
    uploads = settings.data_dir / "uploads"
    assert {one.name: one.read_bytes() for one in uploads.iterdir()} == {"one.tar": b"an upload"}
    assert (settings.data_dir / "known_hosts").read_text().startswith("github.com")
    repositories = Repositories(settings.data_dir / "git", 1024)
    assert repositories.present() == {"pushed"}
    pushed = await repositories.of("pushed")
    tip = await repositories.tip(pushed, "refs/heads/trunk")
    assert len(tip) == 40
    assert tip == await repositories.tip(pushed, "HEAD") == await repositories.tip(pushed, "v1")
    assert not (settings.data_dir / "restore.part").exists()


async def test_a_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "trusted.pem"
    bundle.write_text("certificates")
    monkeypatch.setenv("BARQUE_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("BARQUE_APPS_DOMAIN", "it's.example.org")
    monkeypatch.setenv("BARQUE_SECRET_KEY", "0123456789" * 4)
    settings, file = Settings(data_dir=tmp_path / "one" / "data"), tmp_path / "backup"
    await installation(settings)
    await take(settings, file, None)
    monkeypatch.delenv("BARQUE_SECRET_KEY")
    other = Settings(data_dir=tmp_path / "two")
    await restore(other, file, None)
    await check_installation(other)
    variables = tmp_path / "two" / "settings.env"
    assert stat.S_IMODE(variables.stat().st_mode) == 0o600
    read = f". {variables}; echo $BARQUE_APPS_DOMAIN; cat $BARQUE_CA_BUNDLE"
    bare = {"PATH": os.environ["PATH"]}
    said = await asyncio.to_thread(subprocess.check_output, ["sh", "-c", read], env=bare, text=True)
    assert said == "it's.example.org\ncertificates"
    with pytest.raises(BackupError, match="is not empty"):
        await restore(other, file, None)
    other.master_key_file.write_bytes(os.urandom(32))
    await restore(other, file, None, force=True)
    await check_installation(other)
    (aside,) = other.data_dir.glob("before-restore-*")
    assert {"barque.db", "secret.key", "uploads"} <= {one.name for one in aside.iterdir()}
    with pytest.raises(BackupError, match="is not the master key of the backup"):
        elsewhere = Settings(data_dir=tmp_path / "three", secret_key="another key " * 4)
        await restore(elsewhere, file, None)


async def test_what_cannot_be_restored(tmp_path: Path) -> None:
    settings, file = Settings(data_dir=tmp_path / "one" / "data"), tmp_path / "backup"
    with pytest.raises(BackupError, match="name the platform's --data-dir"):
        await take(settings, file, None)
    await installation(settings)
    made = await take(settings, file, None)
    whole, target = file.read_bytes(), Settings(data_dir=tmp_path / "two")
    # Another master key, in an archive that is sound otherwise.
    key = settings.master_key_file.read_bytes()
    changed = gzip.compress(gzip.decompress(whole).replace(key, bytes(32)))
    for damaged in (
        whole[:-100],
        whole[: len(whole) // 2],
        changed,
        b"",
        b"\x1f\x8b nothing",
    ):
        file.write_bytes(damaged)
        with pytest.raises(BackupError, match="damaged"):
            await restore(target, file, None)
        assert {one.name for one in target.data_dir.iterdir()} == {"backup.lock"}
    folder = tmp_path / "again"
    folder.mkdir()
    archive.write(folder, type(made)(made.made, "sqlite", "9999", "x"), file, None)
    with pytest.raises(BackupError, match="restore it with Barque"):
        await restore(target, file, None)
    with layout.workplace(settings, "backup.part"), pytest.raises(BackupError, match="another"):
        await take(settings, file, None)


async def of_others(settings: Settings) -> None:
    """Have something of others in the database, which Barque neither keeps nor removes."""
    database = Database(settings.store_url)
    async with database.write() as session:
        await session.execute(text("CREATE TABLE of_others (x int)"))
    await database.close()


async def test_postgresql(postgresql: PostgreSQL, tmp_path: Path) -> None:
    def at(name: str, url: str) -> Settings:
        return Settings(data_dir=tmp_path / name / "data", database_url=url)

    settings, file = at("one", postgresql.database()), tmp_path / "backup"
    await installation(settings)
    await of_others(settings)
    await take(settings, file, "a long passphrase")
    with pytest.raises(BackupError, match="the database cannot be filled"):
        nobody = f"postgresql://barque@127.0.0.1:{free_port()}/barque"
        await restore(at("nobody", nobody), file, "a long passphrase")
    other = at("two", postgresql.database())
    await restore(other, file, "a long passphrase")
    await check_installation(other)
    shutil.rmtree(other.data_dir)
    with pytest.raises(BackupError, match="the database is not empty"):
        await restore(other, file, "a long passphrase")
    await of_others(other)
    database = Database(other.store_url)
    async with database.write() as session:
        # Notes of durable work that say of another time what has ended.
        await session.execute(text("CREATE SCHEMA dbos"))
        await session.execute(text("UPDATE organizations SET slug = 'changed'"))
    await restore(other, file, "a long passphrase", force=True)
    await check_installation(other)
    async with database.read() as session:
        await session.execute(text("SELECT * FROM of_others"))
        notes = text("SELECT count(*) FROM pg_namespace WHERE nspname = 'dbos'")
        assert await session.scalar(notes) == 0
    await database.close()
    with pytest.raises(BackupError, match="of a postgresql database"):
        await restore(Settings(data_dir=tmp_path / "three"), file, "a long passphrase")


def test_one_moment_of_a_file_that_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "it's a file.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE numbers (x)")
        writer.execute("INSERT INTO numbers VALUES (1)")

        def meanwhile() -> None:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                writer.execute("INSERT INTO numbers VALUES (2)")

        sqlite.copy(path, tmp_path / "copy.db", meanwhile)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copied:
        assert copied.execute("SELECT x FROM numbers").fetchall() == [(1,)]
    assert sorted(one.name for one in tmp_path.iterdir() if "copy" in one.name) == ["copy.db"]
