"""Where the source of an image comes from: the service's repository, or what was brought."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from barque.git.port import Checkout
from barque.images.models import Image
from barque.services.place import Place

if TYPE_CHECKING:
    from barque.platform import Platform

# What `Image.source` may be.
REPOSITORY, UPLOAD, PUSH = "repository", "upload", "push"


async def fetch(
    platform: "Platform", image: Image, place: Place, into: Path, say: Callable[[str], None]
) -> Checkout:
    """Bring the source of an image into the missing folder `into`.

    Raises `SourceError` for a repository, and `ArchiveError` for what was brought.
    """
    if image.source == REPOSITORY:
        repository = place.svc.github_repository or ""
        say(f"fetching {repository} at {image.ref or 'its default branch'}")
        credential = await platform.credentials.of(place)
        checkout = await platform.source.fetch(repository, image.ref, into, credential)
    else:
        await platform.uploads.unpack(image.id, into)
        checkout = Checkout(into, image.commit_sha)
    what = f"commit {checkout.commit_sha}" if checkout.commit_sha else "the uploaded source"
    say(f"building {what}")
    return checkout
