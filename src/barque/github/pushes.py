"""A push builds and deploys the services that follow its branch, and that it touches."""

from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from barque.github.changes import changed
from barque.github.models import Report
from barque.github.schemas import Push, Skipped
from barque.http import Call
from barque.projects.models import Environment
from barque.projects.pipeline import PipelineAnswer, build_and_deploy
from barque.services.models import Service
from barque.services.place import Place, place_of, url_of
from barque.services.watching import touches

_BRANCH = "refs/heads/"
_NO_COMMIT = "0" * 40
Begun = tuple[str, PipelineAnswer]


async def follow_push(
    session: AsyncSession, call: Call, push: Push
) -> tuple[list[Begun], list[Skipped]]:
    """Queue what a push is to build and deploy, and say which services it does not touch."""
    if not push.ref.startswith(_BRANCH) or push.after == _NO_COMMIT:
        return [], []
    branch = push.ref.removeprefix(_BRANCH)
    followed = func.coalesce(Service.auto_deploy_branch, Environment.auto_deploy_branch)
    following = (
        select(Service.id)
        .join(Environment, Environment.id == Service.environment_id)
        .where(
            func.lower(Service.github_repository) == push.repository.full_name.lower(),
            followed == branch,
            Service.locked_by.is_(None),
        )
    )
    begun, skipped, files = [], [], changed(push)
    actor = actor_of(call, push.pusher.name)
    for service_id in await session.scalars(following.order_by(Service.id)):
        place = await place_of(session, service_id)
        if touches(files, place.svc.watch_paths, place.svc.root_directory):
            begun.append(await build(session, actor, place, push.after, "push", branch))
        else:
            skipped.append(Skipped(place.path, "the push changes nothing that it is built from"))
    return begun, skipped


def actor_of(call: Call, login: str) -> Call:
    """Return the call as that of a user of GitHub's."""
    return replace(call, actor=replace(call.actor, email=f"github:{login}"[:255]))


async def build(
    session: AsyncSession, call: Call, place: Place, sha: str, trigger: str,
    pushed_branch: str | None = None,
) -> Begun:  # fmt: skip
    """Queue the build and deployment of a commit, of which GitHub is to hear."""
    there = replace(call, place=place)
    value = await build_and_deploy(session, there, place, sha, trigger, pushed_branch)
    app, repository = call.platform.github, place.svc.github_repository
    if app is not None and app.acts_for(place.org.slug, repository):
        session.add(
            Report(
                org_id=place.org.id, deployment_id=value.deployment_id, repository=repository,
                commit_sha=sha, context=f"barque/{place.path}",
                url=url_of(call.platform.settings, place, place.svc.slug),
            )
        )  # fmt: skip
    return place.path, value
