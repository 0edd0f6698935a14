"""Several platforms, each with a name and a key: kept in the folder for configuration."""

import json
import os
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path

from platformdirs import user_config_path

_PRIVATE = stat.S_IRUSR | stat.S_IWUSR


class NoSuchContext(ValueError):
    """There is no context of that name."""


@dataclass(frozen=True)
class Context:
    """A platform, and a key of somebody's there."""

    url: str
    key: str


@dataclass
class Contexts:
    """The contexts by their names, and which of them is used unless another is named."""

    current: str | None = None
    contexts: dict[str, Context] = field(default_factory=dict)

    @classmethod
    def load(cls) -> "Contexts":
        """Read what is kept. Raises `ValueError` for a file that is none of ours."""
        path = contexts_file()
        if not path.exists():
            return cls()
        try:
            kept = json.loads(path.read_text())
            found = {name: Context(**one) for name, one in kept["contexts"].items()}
            return cls(kept["current"], found)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path} cannot be read ({error}): remove it, and sign in with 'barque login URL'"
            ) from None

    def save(self) -> None:
        """Write all down, in a file that only its owner may read, and whole or not at all."""
        path = contexts_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        private = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(private, "w") as file:
            json.dump(asdict(self), file, indent=2)
        fresh.replace(path)

    def named(self, name: str) -> Context:
        """Return a context. Raises `NoSuchContext`."""
        if name not in self.contexts:
            known = ", ".join(sorted(self.contexts)) or "none yet"
            raise NoSuchContext(
                f"there is no context '{name}' (there is {known}): add it with "
                f"'barque context add {name} URL'"
            )
        return self.contexts[name]


def contexts_file() -> Path:
    """Return where the contexts are kept."""
    return user_config_path("barque") / "contexts.json"
