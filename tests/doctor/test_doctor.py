"""Each test breaks something real, and sees what the doctor says of it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from barque.accounts.models import Organization
from barque.audit.models import AuditEntry
from barque.doctor.check import Finding
from barque.routing.haproxy import HAProxyRouter
from barque.routing.port import RoutingTable
from barque.settings import Settings
from barque.store.database import Database
from barque.vault import Vault, load_master_key
from tests.conftest import Server, free_port, make_app, make_env
from tests.doctor.faults import look, mounted
from tests.e2e.helpers import build, containers, deploy, docker, ended, host_of, web


def script(folder: Path, name: str, says: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


async def test_nothing_is_there_yet(settings: Settings) -> None:
    found = await look(settings)
    assert "problem" not in {one.verdict for one in found.values()}, found
    assert found["data dir"].seen == f"there is no data dir {settings.data_dir} yet"
    assert found["database"].mend == found["router"].mend == "barque serve"
    assert found["engine"].verdict == found["base images"].verdict == "ok"
    assert not settings.data_dir.exists(), "looking makes nothing"


async def test_programs(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old"
    script(old, "haproxy", "HA-Proxy version 2.2.9-2+deb11u6 2023/12/23")
    script(old, "git", str(old))
    monkeypatch.setenv("PATH", str(old))
    found = await look(settings)
    assert found["haproxy"].seen == "haproxy 2.2.9 is too old: 2.6 is needed"
    assert found["haproxy"].mend == "apt-get install haproxy"
    assert found["git"].seen == "git does not say its version"
    assert f"no http-backend in {old}" in found["git http-backend"].seen
    assert found["ssh"].verdict == "warning"
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await look(settings)
    assert found["haproxy"].seen == "haproxy is not installed"
    assert found["git"].seen == "git is not installed"


async def test_the_engine(settings: Settings, tmp_path: Path) -> None:
    async def at(host: str) -> dict[str, Finding]:
        return await look(settings.model_copy(update={"docker_host": host}))

    found = await at("ssh://elsewhere")
    assert "no address that Barque can use" in found["engine address"].seen
    found = await at(f"unix://{tmp_path}/nobody.sock")
    assert "does not answer" in found["engine"].seen
    assert "systemctl start docker" in (found["engine"].mend or "")
    assert "base images" not in found
    host = f"unix://{tmp_path}/old.sock"
    async with await asyncio.start_unix_server(_old_engine, tmp_path / "old.sock"):
        found = await at(host)
    assert "19.03 is too old" in found["engine"].seen
    assert found["base images"].mend == "barque base-images build"
    assert "apart" in found["clock"].seen


async def _old_engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    about = {
        "message": "no such thing",
        "Version": "19.03",
        "ApiVersion": "1.40",
        "SystemTime": yesterday.isoformat(),
    }
    status = "404 Not Found" if "/images/" in path else "200 OK"
    body = json.dumps([] if "networks" in path else about).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    writer.close()


async def test_the_data_dir(settings: Settings, database: Database) -> None:
    assert {one.verdict for one in (await look(settings)).values()} <= {"ok", "warning"}
    settings.data_dir.chmod(0o777)
    settings.admin_key_file.write_text("barque_key")
    settings.admin_key_file.chmod(0o644)
    settings.master_key_file.chmod(0o640)
    found = await look(settings)
    assert found["data dir"].mend == f"chmod 700 {settings.data_dir}"
    assert found["master key"].mend == f"chmod 600 {settings.master_key_file}"
    assert "open to others" in found["administrator's key"].seen
    assert found["secrets"].seen == "the master key opens the secrets of 1 organizations"
    settings.master_key_file.write_bytes(os.urandom(32))
    found = await look(settings)
    assert found["secrets"].seen == "the master key does not open the secrets of acme"
    assert "from a backup" in (found["secrets"].mend or "")
    settings.master_key_file.write_bytes(b"short")
    assert "holds no master key" in (await look(settings))["master key"].seen
    settings.master_key_file.unlink()
    assert "is gone" in (await look(settings))["master key"].seen
    assert not settings.master_key_file.exists(), "looking makes no key"
    (settings.data_dir / "restore.part").mkdir()
    assert "cut off" in (await look(settings))["restore"].seen


async def test_the_disk(settings: Settings) -> None:
    with mounted(settings.data_dir, "size=1m,nr_inodes=4"):
        for number in range(3):
            (settings.data_dir / f"{number}").touch()
        found = await look(settings)
    assert found["disk"].seen.startswith("the disk is full: 0.0 GB of 0.0 GB are free")
    assert found["inodes"].seen.startswith("there is no room for more files: 0%")


@pytest.mark.parametrize(
    ("present", "verdict", "mend"),
    [("0003", "warning", "migrates it"), ("9999", "problem", "newer version of Barque")],
)
async def test_the_database_of_another_version(
    settings: Settings, database: Database, present: str, verdict: str, mend: str
) -> None:
    async with database.write() as session:
        await session.execute(text(f"UPDATE alembic_version SET version_num = '{present}'"))
    found = (await look(settings))["database"]
    assert found.verdict == verdict
    assert mend in (found.mend or "")


async def test_a_database_that_does_not_answer(settings: Settings, database: Database) -> None:
    await database.close()
    assert database.file is not None
    for file in settings.data_dir.glob("barque.db*"):
        file.unlink()
    database.file.write_bytes(b"this is no database" * 100)
    found = await look(settings)
    assert found["database"].verdict == "problem"
    assert "barque restore" in (found["database"].mend or "")
    url = f"postgresql://barque@127.0.0.1:{free_port()}/barque"
    found = await look(settings.model_copy(update={"database_url": url}))
    assert "BARQUE_DATABASE_URL" in (found["database"].mend or "")
    assert found["engine"].verdict == "ok", "what is broken hides nothing else"


async def test_certificates_and_clock(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    async def trusting(path: Path) -> Finding:
        return (await look(settings.model_copy(update={"ca_bundle": path})))["certificates"]

    assert "which is not there" in (await trusting(tmp_path / "gone")).seen
    (tmp_path / "empty.pem").write_text("nothing")
    assert "no certificates that can be read" in (await trusting(tmp_path / "empty.pem")).seen
    async with database.write() as session:
        org = await session.scalar(select(Organization.id))
        later = datetime.now(UTC) + timedelta(hours=1)
        session.add(
            AuditEntry(created=later, org_id=org, actor="a", address="b", action="c", target="d")
        )
    assert "something happened at" in (await look(settings))["clock"].seen


async def test_ports_that_others_have(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", settings.port)):
        found = (await look(settings))["API port"]
    assert found.verdict == "problem"
    assert "set BARQUE_PORT" in (found.mend or "")
    assert (await look(settings))["API port"].verdict == "ok"
    with socket.create_server(("", settings.apps_port)):
        assert (await look(settings))["router port"].verdict == "problem"


async def test_while_it_runs_and_after(own_server: Server) -> None:
    settings = Settings(
        data_dir=own_server.data_dir, port=own_server.port, apps_port=own_server.apps_port
    )
    with own_server.client() as api:
        app = make_app(own_server, api, make_env(api))
        await asyncio.to_thread(build, app, web("here"))
        assert (await asyncio.to_thread(lambda: ended(app, deploy(app))))["status"] == "live"
        host, names = host_of(app), containers(app)
        reference = docker("inspect", "--format", "{{.Config.Image}}", names[0])
    found = await look(settings)
    assert {name: one for name, one in found.items() if one.verdict != "ok"} == {}
    assert found["routes"].seen == "the router sends 1 hosts to what is live"
    elsewhere = await look(settings.model_copy(update={"port": free_port()}))
    assert "does not answer at" in elsewhere["platform"].seen
    own_server.kill()
    identity = Vault(load_master_key(settings.master_key_file, None)).identity()
    left = f"barque-left-{identity}"
    docker("network", "create", "--label", f"barque.platform={identity}", left)
    # As if its configuration came from elsewhere: it knows no service at all.
    await HAProxyRouter(own_server.data_dir / "router", "0.0.0.0", own_server.apps_port).start(
        RoutingTable()
    )
    docker("rm", "--force", *names)
    docker("image", "rm", "--force", reference)
    found = await look(settings)
    assert found["platform"].verdict == "warning"
    assert found["routes"].seen == f"the router does not send {host} to what is live there"
    assert left in found["networks"].seen
    assert f"docker network rm {left}" in (found["networks"].mend or "")
    address = "/".join(app.path.split("/")[2::2])
    assert f"gone from the engine: {address}" in found["images of live releases"].seen
    assert f"barque build -s {address}" in (found["images of live releases"].mend or "")
    docker("network", "rm", left)


def test_the_command(settings: Settings, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "barque", "doctor", "--data-dir", str(tmp_path / "data")]
    environment = {**os.environ, "BARQUE_PORT": str(settings.port), "DOCKER_HOST": "unix:///none"}
    environment["BARQUE_APPS_PORT"] = str(settings.apps_port)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "PROBLEM  engine: the engine at unix:///none does not answer\n         -> start it" in (
        done.stdout
    )
    as_json = subprocess.run(
        [*command, "--json"], env={**environment, "DOCKER_HOST": os.environ["DOCKER_HOST"]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert as_json.returncode == 0, as_json.stdout
    rows = json.loads(as_json.stdout)
    assert {row["name"]: row["verdict"] for row in rows}["engine"] == "ok"
    assert set(rows[0]) == {"name", "verdict", "seen", "mend"}
