"""What a provider works from, and where what it makes has its place."""

from dataclasses import dataclass

from barque.plans.bases import Bases, Wish
from barque.plans.plan import HOME, Part
from barque.plans.tree import Tree

# All of the source, as it is in the repository.
SOURCE = Part(".", HOME)


@dataclass(frozen=True, slots=True)
class Source:
    """A work tree, the base images on offer, and the processes of its Procfile, if it has one."""

    tree: Tree
    bases: Bases
    procfile: dict[str, str]

    def has_web(self) -> bool:
        """Tell whether the Procfile says what to run, so that nothing is to be guessed."""
        return bool(self.procfile.keys() - {"release"})

    def asks(self, path: str, prefix: str = "") -> Wish | None:
        """Return the version in the first line of a file that says something."""
        for line in (self.tree.text(path) or "").splitlines():
            text = line.strip()
            if text and not text.startswith("#"):
                return Wish(text.removeprefix(prefix)[:80], path)
        return None


def text_of(value: object) -> str | None:
    """Return a value of a JSON or TOML file if it is text with something in it."""
    return value if isinstance(value, str) and value.strip() else None


def table_of(value: object, *names: str) -> dict[str, object]:
    """Return a table within a table; what is missing, or none, is empty."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def texts_of(value: object) -> list[str]:
    """Return the texts of a list; what is no list is empty."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
