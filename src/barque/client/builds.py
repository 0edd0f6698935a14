"""What a service is built from, and the images that come of it."""

from functools import partial
from pathlib import Path

from barque.client.output import lines_of
from barque.client.packing import CannotPack, listed, packed
from barque.client.places import Place
from barque.client.shapes import BuildAnswer, ImageView, LogView
from barque.client.verbs import C, stream, verb
from barque.client.work import Do, Stream, Work

# A large source is checked before the answer.
_UPLOAD = 600.0


class Builds(Place[C]):
    """The images of a service."""

    @verb
    def build(self, ref: str | None = None) -> Work[BuildAnswer]:
        """Enqueue a build, at a branch, tag or commit."""
        return self._start("/images/build", {"ref": ref} if ref else {})

    @verb
    def upload(self, folder: Path) -> Work[BuildAnswer]:
        """Upload a folder, and enqueue a build of it.

        What `.gitignore` and `.dockerignore` leave out stays here. Raises `CannotPack` as well.
        """
        service = yield from self._ask("GET")
        paths = yield Do(partial(listed, folder, service["root_directory"], service["dockerfile"]))
        if not paths:
            raise CannotPack(f"there is nothing to upload in {folder}: it is empty, or all ignored")
        return (yield from self._send("/images/upload", partial(packed, folder, paths), _UPLOAD))

    @stream
    def images(self, *, per_page: int = 100) -> Stream[ImageView]:
        """List the images, newest first."""
        return self._pages("/images", per_page)

    @verb
    def image(self, version: int) -> Work[ImageView]:
        """Show an image."""
        return self._ask("GET", f"/images/{version}")

    @verb
    def cancel_build(self, version: int) -> Work[ImageView]:
        """Cancel a build that has not ended."""
        return self._ask("POST", f"/images/{version}/cancel")

    @verb
    def build_log(self, version: int) -> Work[LogView]:
        """Show a build log."""
        return self._ask("GET", f"/images/{version}/log")

    @stream
    def follow_build(self, version: int) -> Stream[str]:
        """Follow a build log to its end, line by line."""
        return self._events(f"/images/{version}/log", lines_of)
