"""The engine's images and its build cache, on a real engine."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from barque.builders.buildkit import BuildKitBuilder
from barque.builders.port import BuildSpec
from barque.runtimes.docker import DockerRuntime
from barque.runtimes.port import MOST_OUTPUT, RuntimeRefused
from barque.subprocesses import run_program

ENOUGH = 1 << 50


@pytest.fixture
async def runtime() -> AsyncIterator[DockerRuntime]:
    engine = DockerRuntime(os.environ["DOCKER_HOST"])
    yield engine
    await engine.aclose()


async def make(folder: Path, tag: str, labels: dict[str, str]) -> None:
    unique = "RUN head -c 100000 /dev/urandom > /x && echo"
    (folder / "Dockerfile").write_text(f"FROM barque/base:busybox\n{unique} {uuid.uuid4()}\n")
    builder = BuildKitBuilder(os.environ["DOCKER_HOST"], folder / "scratch")
    await builder.build(BuildSpec(folder, tag, labels=labels), lambda _: None)


async def docker(*arguments: str) -> str:
    said: list[str] = []
    assert await run_program(["docker", *arguments], dict(os.environ), said.append) == 0, said
    return said[-1] if said else ""


async def prune(runtime: DockerRuntime, labels: dict[str, str], age: int) -> None:
    while True:
        try:
            return await runtime.remove_unnamed_images(labels, age)
        except RuntimeRefused as error:
            # The engine prunes for one at a time.
            assert "already running" in str(error)
            await asyncio.sleep(0.05)


async def test_images_are_listed_and_removed(runtime: DockerRuntime, tmp_path: Path) -> None:
    mine = {"barque.test": uuid.uuid4().hex}
    tag = f"barque/{mine['barque.test']}"
    assert await runtime.images(mine) == []
    await make(tmp_path, f"{tag}:1", mine)
    first = await runtime.image(f"{tag}:1")
    assert first is not None
    await make(tmp_path, f"{tag}:2", mine)
    assert sorted(await runtime.images(mine)) == [f"{tag}:1", f"{tag}:2"]
    await docker("tag", f"{tag}:2", f"{tag}:1")
    # The first has no name any more now.
    await prune(runtime, {"barque.test": "another"}, 0)
    await prune(runtime, mine, 600)
    assert await runtime.image(first.digest) is not None
    # The engine counts an image's age in whole seconds.
    while await runtime.image(first.digest) is not None:
        await prune(runtime, mine, 0)
    for _ in range(2):
        await runtime.remove_image(f"{tag}:1")
        assert await runtime.images(mine) == [f"{tag}:2"]
    await runtime.remove_image(f"{tag}:2")
    assert await runtime.images(mine) == []


async def test_an_image_in_use_stays(runtime: DockerRuntime, tmp_path: Path) -> None:
    mine = {"barque.test": uuid.uuid4().hex}
    tag = f"barque/{mine['barque.test']}:1"
    await make(tmp_path, tag, mine)
    container = await docker("create", tag, "true")
    await runtime.remove_image(tag)
    assert await runtime.images(mine) == [tag]
    await runtime.remove(container)
    await runtime.remove_image(tag)
    assert await runtime.images(mine) == []


async def test_the_build_cache_is_kept_below_a_size(runtime: DockerRuntime, tmp_path: Path) -> None:
    tag = f"barque/{uuid.uuid4().hex}:1"
    await make(tmp_path, tag, {})
    await runtime.remove_image(tag)
    assert await runtime.prune_build_cache(ENOUGH) == 0
    # One byte less than there is: what was used longest ago goes, and no more than that. Others
    # build meanwhile, and may take up as much as that.
    freed = [await runtime.prune_build_cache(await cache(runtime) - 1) for _ in range(5)]
    assert max(freed) > 0
    assert await cache(runtime) > 0


async def cache(runtime: DockerRuntime) -> int:
    found = await runtime._ask("GET", "system/df")
    return sum(one["Size"] for one in found["BuildCache"] if not one["Shared"])


@pytest.fixture
async def running(runtime: DockerRuntime) -> AsyncIterator[str]:
    name = f"barque-test-{uuid.uuid4().hex}"
    await docker("run", "-d", "--name", name, "barque/base:busybox", "sleep", "600")
    yield name
    await runtime.remove(name)


async def test_commands_in_a_container(runtime: DockerRuntime, running: str) -> None:
    assert await runtime.execute(running, "echo to both; echo >&2 outputs; exit 3", 30) == (
        3, "to both\noutputs\n",
    )  # fmt: skip
    assert await runtime.execute(running, "echo '$x'; kill -9 $$", 30) == (137, "$x\n")
    # What takes too long is ended, with all that it started.
    said = await runtime.execute(running, "echo begun; sleep 1234 & sleep 2345", 1)
    assert said == (None, "begun\n")
    code, left = await runtime.execute(running, "ps", 30)
    assert code == 0
    assert "1234" not in left
    assert "2345" not in left
    code, much = await runtime.execute(running, "yes secret | head -c 20000000", 60)
    assert code == 0
    assert len(much) <= MOST_OUTPUT + 100
    assert much.endswith("\nsecret\n(what it wrote after that is not shown)\n")
    await docker("rm", "-f", running)
    with pytest.raises(RuntimeRefused):
        await runtime.execute(running, "true", 30)


async def test_a_network_that_many_ask_for_at_once_is_made_once(runtime: DockerRuntime) -> None:
    mine = {"barque.test": uuid.uuid4().hex}
    name = f"barque-{mine['barque.test']}"
    await asyncio.gather(*(runtime.ensure_network(name, mine) for _ in range(20)))
    assert await runtime.networks(mine) == [name]
    await runtime.remove_network(name)
    assert await runtime.networks(mine) == []
