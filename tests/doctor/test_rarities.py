"""What goes wrong with few installations: each is broken that way, and looked at."""

import asyncio
import json
import os
import ssl
import subprocess
import sys
from pathlib import Path

import aiodocker
import pytest
from sqlalchemy import select

from barque.accounts.models import Organization
from barque.processes.instances import network_of
from barque.projects.models import Environment, Project
from barque.routing.haproxy import HAProxyRouter
from barque.routing.port import RoutingTable
from barque.settings import Settings
from barque.store.database import Database
from barque.vault import Vault, load_master_key
from tests.conftest import Server
from tests.doctor.faults import (
    answering,
    as_nobody,
    look,
    mounted,
    public_folder,
    running_without_serving,
)


def test_neither_a_client_that_can_build_nor_certificates(
    settings: Settings, tmp_path: Path
) -> None:
    # A client that has neither BuildKit in it nor the plug-in.
    client = tmp_path / "docker"
    client.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "Docker version 28.2.2" && exit\nexit 1\n'
    )
    client.chmod(0o755)
    trusted = Path(ssl.get_default_verify_paths().openssl_cafile).parent
    found = {
        row["name"]: row
        for row in elsewhere(
            settings, tmp_path,
            f"[ ! -e /usr/bin/docker ] || mount --bind {client} /usr/bin/docker",
            f"mount -t tmpfs none {trusted}",
        )
    }  # fmt: skip
    assert found["build client"]["seen"] == "there is no docker client that builds with BuildKit"
    assert found["build client"]["mend"].startswith("apt-get install docker.io")
    assert found["certificates"]["seen"].startswith("this machine trusts no certificates")
    assert found["certificates"]["mend"] == "apt-get install ca-certificates"


def elsewhere(settings: Settings, path: Path, *commands: str) -> list[dict[str, str]]:
    """Ask the doctor where other things are mounted, which nobody else sees."""
    doctor = f"{sys.executable} -m barque doctor --json --data-dir {settings.data_dir}"
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SSL_CERT_")}
    environment = {**kept, "PATH": f"{path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", "; ".join((*commands, f"exec {doctor}"))],
        env=environment, capture_output=True, check=False,
    )  # fmt: skip
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


async def test_several_networks_of_one_name(settings: Settings, database: Database) -> None:
    async with database.write() as session:
        project = Project(org_id=await session.scalar(select(Organization.id)), name="S", slug="s")
        session.add(project)
        await session.flush()
        env = Environment(
            project_id=project.id, name="P", slug="p", env_type="production", protected=False,
            ephemeral=False,
        )  # fmt: skip
        session.add(env)
    name = network_of(env.id)
    identity = Vault(load_master_key(settings.master_key_file, None)).identity()
    async with aiodocker.Docker(os.environ["DOCKER_HOST"], api_version="v1.41") as engine:
        labels = {"barque.platform": identity}
        made = [await engine.networks.create({"Name": name, "Labels": labels}) for _ in range(2)]
        try:
            found = (await look(settings))["networks"]
            assert found.seen == f"the engine has several networks named {name}"
            listing = (found.mend or "").partition(": ")[2].partition(",")[0]
            listed = await asyncio.to_thread(subprocess.check_output, listing.split(), text=True)
            assert sorted(listed.split()) == sorted(one.id for one in made)
        finally:
            for one in made:
                await one.delete()


async def test_a_data_dir_that_is_none(settings: Settings) -> None:
    settings.data_dir.touch()
    found = (await look(settings))["data dir"]
    assert found.seen == f"{settings.data_dir} is no folder"


async def test_what_belongs_to_another_user(settings: Settings) -> None:
    with public_folder() as folder:
        there = settings.model_copy(update={"data_dir": folder, "port": 1, "apps_port": 2})
        load_master_key(there.master_key_file, None)
        (folder / "barque.db").touch()
        with as_nobody():
            found = await look(there)
    assert found["data dir"].seen == f"the data dir {folder} may not be written to"
    assert found["files"].mend == f"chown $(id -un) {folder}/barque.db"
    assert "secret.key cannot be read: Permission denied" in found["master key"].seen
    for name, setting in (("API port", "BARQUE_PORT"), ("router port", "BARQUE_APPS_PORT")):
        assert "is not for this user" in found[name].seen
        assert setting in (found[name].mend or "")


async def test_what_cannot_be_looked_at(settings: Settings) -> None:
    with public_folder() as folder:
        (folder / "closed").mkdir(mode=0o700)
        with as_nobody():
            found = await look(settings.model_copy(update={"data_dir": folder / "closed" / "data"}))
    assert found["data dir"].verdict == "problem"
    assert found["data dir"].seen.startswith("this could not be looked at: [Errno 13]")
    assert found["haproxy"].verdict == "ok", "the others are looked at all the same"


async def test_a_disk_with_little_room(settings: Settings) -> None:
    with mounted(settings.data_dir, "size=1g,nr_inodes=100"):
        for number in range(96):
            (settings.data_dir / f"{number}").touch()
        found = await look(settings)
    assert (found["disk"].verdict, found["inodes"].verdict) == ("warning", "warning")
    assert found["disk"].seen.startswith("the disk is nearly full: 1.1 GB of 1.1 GB are free")
    assert found["inodes"].seen.startswith("there is little room for more files: 3%")


async def test_a_database_without_tables(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "barque.db").touch()
    found = (await look(settings))["database"]
    assert found.seen == "the database has no tables yet"
    assert found.verdict == "warning"


async def test_a_platform_that_does_not_do_its_work(settings: Settings, database: Database) -> None:
    with running_without_serving(settings) as pid:
        found = await look(settings)
        assert f"as process {pid}, and does not answer" in found["platform"].seen
        assert "API port" not in found
        assert found["router"].verdict == "problem"
        assert "haproxy.log says why it ended" in (found["router"].mend or "")
        async with answering(settings.port, b"<h1>something else</h1>"):
            found = await look(settings)
    assert (
        found["platform"].seen == f"what answers at http://127.0.0.1:{settings.port} is not Barque"
    )


async def test_an_older_platform_without_an_engine(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"unix://{tmp_path}/nobody.sock"
    running = Server(settings.data_dir, settings.port, apps_port=settings.apps_port, engine=nobody)
    await asyncio.to_thread(running.start)
    try:
        monkeypatch.setattr("barque.doctor.database.newest", lambda: "9999")
        found = await look(settings.model_copy(update={"docker_host": nobody}))
    finally:
        await asyncio.to_thread(running.end)
    assert found["platform"].seen.startswith("the platform runs, but lacks its engine (")
    assert found["database"].verdict == "problem"
    assert "an older version of the platform runs" in found["database"].seen


async def test_a_router_that_knows_what_is_gone(settings: Settings, database: Database) -> None:
    router = HAProxyRouter(settings.data_dir / "router", settings.apps_host, settings.apps_port)
    await router.start(RoutingTable({"old": []}, {"gone.example.org": "old"}))
    try:
        found = (await look(settings))["routes"]
    finally:
        await router.stop()
    assert found.seen == "the router has hosts of no live service: gone.example.org"


async def test_certificates_of_a_variable(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone"))
    found = (await look(settings))["certificates"]
    assert found.seen == f"SSL_CERT_FILE names {tmp_path}/gone, which is not there"
