"""What a service is made from: a repository, or an image that is built already."""

from typing import Annotated

from msgspec import Meta

from barque.errors import Invalid
from barque.images.references import PATTERN, parse

ImageReference = Annotated[str, Meta(pattern=PATTERN, max_length=255)]


def check_source(repository: str | None, image_reference: str | None) -> None:
    """Return if a service can be made from these. Raises `Invalid`."""
    if image_reference is None:
        return
    if repository is not None:
        raise Invalid.field(
            "image_reference",
            "cannot go with github_repository: a service is built from a repository, or names an "
            "image; set the other to null",
        )
    if parse(image_reference).reserved:
        raise Invalid.field("image_reference", "names what Barque built for a service: promote it")
