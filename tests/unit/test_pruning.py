import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from barque.accounts.models import Organization
from barque.deployments.models import Deployment
from barque.deployments.service import last_live, live_release
from barque.errors import Conflict
from barque.images.models import Image
from barque.images.pruning import Released, Rolled, give_up, surplus
from barque.images.service import still_there
from barque.names import new_id
from barque.projects.models import Environment, Project
from barque.releases.models import Release
from barque.services.models import Service
from barque.services.place import Place
from barque.store.database import Database

GOING_ON = ("queued", "releasing", "starting", "checking", "switching")
OVER = ("failed", "cancelled", "superseded")


@dataclass
class History:
    """What became of a service: `releases` are of images, `deployments` of releases, by age."""

    images: int
    releases: list[int]
    deployments: list[tuple[int, str]]

    def live(self) -> list[int]:
        """List the releases that were live, the last of which is so still."""
        return [one for one, status in self.deployments if status in ("retired", "live")]


@st.composite
def histories(draw: st.DrawFn) -> History:
    images = draw(st.integers(1, 8))
    releases = draw(st.lists(st.integers(0, images - 1), min_size=1, max_size=8))
    one = st.tuples(st.integers(0, len(releases) - 1), st.sampled_from(("live", *OVER)))
    deployments = draw(st.lists(one, max_size=12))
    last = max((n for n, (_, status) in enumerate(deployments) if status == "live"), default=0)
    deployments = [
        (release, "retired" if status == "live" and number < last else status)
        for number, (release, status) in enumerate(deployments)
    ]
    waiting = st.tuples(st.integers(0, len(releases) - 1), st.sampled_from(GOING_ON))
    return History(images, releases, deployments + draw(st.lists(waiting, max_size=2)))


def needed(history: History, kept: int) -> set[int]:
    """Say it over again, image by image."""
    live = history.live()
    before = [release for release in live if release != live[-1]][-1:]
    going_on = [release for release, status in history.deployments if status in GOING_ON]
    released: list[int] = []
    for image in reversed(history.releases):
        if image not in released:
            released.append(image)
    return {
        image
        for image in range(history.images)
        if image >= history.images - kept
        or image in released[:kept]
        or any(history.releases[one] == image for one in (*live[-1:], *before, *going_on))
    }


@settings(deadline=None)
@given(histories(), st.integers(1, 4), st.randoms())
def test_what_is_needed_stays_and_the_rest_goes(history: History, kept: int, random) -> None:
    releases = [Released(f"r{n}", n, f"i{image}") for n, image in enumerate(history.releases)]
    deployments = [
        Rolled(f"{n:03}", f"r{release}", status)
        for n, (release, status) in enumerate(history.deployments)
    ]
    random.shuffle(releases)
    random.shuffle(deployments)
    images = {f"i{n}": n for n in range(history.images)}
    gone = surplus(images, releases, deployments, kept)
    assert set(images) - gone == {f"i{n}" for n in needed(history, kept)}


@settings(deadline=None)
@given(st.sampled_from(["draining", "live"]), st.sampled_from(["draining", "live"]))
def test_two_that_serve_at_once_both_stay(older: str, newer: str) -> None:
    releases = [Released(f"r{n}", n, f"i{n}") for n in range(5)]
    deployments = [Rolled("1", "r0", "retired"), Rolled("2", "r1", older), Rolled("3", "r2", newer)]
    gone = surplus({f"i{n}": n for n in range(5)}, releases, deployments, 1)
    assert gone == {"i3"}


class Store:
    """A real store, and the loop that it belongs to."""

    def __init__(self, path: Path, runner: asyncio.Runner) -> None:
        self.database = Database(f"sqlite+aiosqlite:///{path}")
        self.run = runner.run
        self.run(self.database.migrate())

    async def write(self, history: History) -> Place:
        org = Organization(name="o", slug=new_id(), data_key=b"")
        project = Project(id=new_id(), org_id="", name="p", slug="p")
        env = Environment(
            id=new_id(), name="e", slug="e", env_type="development", protected=False,
            ephemeral=False,
        )  # fmt: skip
        svc = Service(
            id=new_id(), name="s", slug="s", platform="wind", health_check_path="/",
            deployment_timeout=1, process_counts={},
        )  # fmt: skip
        async with self.database.write() as session:
            session.add(org)
            await session.flush()
            project.org_id, env.project_id, svc.environment_id = org.id, project.id, env.id
            for row in (project, env, svc):
                session.add(row)
                await session.flush()
            images = [
                Image(
                    service_id=svc.id, version=n + 1, status="built", commit_sha=f"sha-{n + 1}",
                    reference=f"barque/{svc.id}:{n + 1}",
                )
                for n in range(history.images)
            ]  # fmt: skip
            session.add_all(images)
            await session.flush()
            releases = [
                Release(
                    service_id=svc.id, version=n + 1, image_id=images[image].id,
                    image_version=image + 1, image_reference=images[image].reference,
                    platform="wind", health_check_path="/", processes={}, config_snapshot=[],
                    sealed_config=b"", changes={},
                )
                for n, image in enumerate(history.releases)
            ]  # fmt: skip
            session.add_all(releases)
            await session.flush()
            for release, status in history.deployments:
                session.add(
                    Deployment(
                        service_id=svc.id, release_id=releases[release].id, status=status,
                        trigger="deploy", actor="t",
                    )
                )  # fmt: skip
                await session.flush()
        return Place(org=org, project=project, env=env, svc=svc)

    async def prune(self, place: Place, kept: int) -> None:
        async with self.database.write() as session:
            await give_up(session, place.svc.id, kept)

    async def pruned(self, place: Place) -> set[int]:
        mine = select(Image.version).where(Image.service_id == place.svc.id)
        async with self.database.read() as session:
            return set(await session.scalars(mine.where(Image.pruned.is_not(None))))

    async def targets(self, place: Place) -> list[int]:
        """List the images that a restart and a rollback without a version would run."""
        found = []
        async with self.database.read() as session:
            for choose in (live_release, last_live):
                try:
                    release = await choose(session, place)
                except Conflict:
                    continue
                await still_there(session, release.image_id)
                found.append(release.image_version)
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with asyncio.Runner() as runner:
        made = Store(tmp_path_factory.mktemp("store") / "barque.db", runner)
        yield made
        runner.run(made.database.close())


@settings(max_examples=40, deadline=None)
@given(histories(), st.integers(1, 3))
def test_the_store_says_the_same(store: Store, history: History, kept: int) -> None:
    place = store.run(store.write(history))
    before = store.run(store.targets(place))
    for _ in range(2):
        store.run(store.prune(place, kept))
        wanted = {image + 1 for image in needed(history, kept)}
        assert store.run(store.pruned(place)) == {*range(1, history.images + 1)} - wanted
        assert store.run(store.targets(place)) == before


def test_what_was_pruned_is_refused_by_its_commit(store: Store) -> None:
    place = store.run(store.write(History(3, [0, 1, 2], [(2, "live")])))
    store.run(store.prune(place, 1))

    async def ask(version: int) -> Image:
        async with store.database.read() as session:
            found = await session.scalar(
                select(Image).where(Image.service_id == place.svc.id, Image.version == version)
            )
            assert found is not None
            return await still_there(session, found.id)

    assert store.run(ask(3)).version == 3
    with pytest.raises(Conflict, match=r'image 1 was removed.*"ref": "sha-1"'):
        store.run(ask(1))
