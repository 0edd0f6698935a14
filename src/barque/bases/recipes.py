"""What Barque's own base images are made of."""

import hashlib
from dataclasses import dataclass, field
from importlib.resources import files

from barque.plans.bases import OWN

LABEL = "barque.base"
_AND = " \\\n && "
_COMPILER = ("build-essential", "pkg-config", "git")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A base image: packages upon a parent, or without one the release `suite` of Debian.

    `files` are copied out of this package to where they belong. `npm` is the version that is put
    in place of Debian's, which takes nearly twice as long to start.
    """

    parent: str | None = None
    suite: str = ""
    packages: tuple[str, ...] = ()
    npm: str | None = None
    files: dict[str, str] = field(default_factory=dict)


RECIPES = {
    "runtime": Recipe(suite="trixie"),
    "runtime12": Recipe(suite="bookworm"),
    "static": Recipe(
        "runtime", packages=("nginx-light",),
        files={"serve-static": "/usr/local/bin/", "nginx.conf": "/etc/barque/"},
    ),
    "python3.13": Recipe("runtime", packages=("python3", "python-is-python3")),
    "python3.13-build": Recipe(
        "python3.13", packages=("python3-dev", "python3-venv", "python3-pip", *_COMPILER)
    ),
    "python3.11": Recipe("runtime12", packages=("python3", "python-is-python3")),
    "python3.11-build": Recipe(
        "python3.11", packages=("python3-dev", "python3-venv", "python3-pip", *_COMPILER)
    ),
    "node20": Recipe("runtime", packages=("nodejs",)),
    "node20-build": Recipe("node20", packages=("python3", *_COMPILER), npm="10.8.2"),
    "node18": Recipe("runtime12", packages=("nodejs",)),
    "node18-build": Recipe("node18", packages=("python3", *_COMPILER), npm="10.8.2"),
    "go1.24-build": Recipe("runtime", packages=("golang-go", "gcc", "libc6-dev", "git")),
}  # fmt: skip


def with_parents(names: list[str]) -> list[str]:
    """List the images that are to be made for some, each after its parent."""
    ordered: dict[str, None] = {}
    for name in names:
        line = [name]
        while (parent := RECIPES[line[-1]].parent) is not None:
            line.append(parent)
        ordered |= dict.fromkeys(reversed(line))
    return list(ordered)


def dockerfile(name: str, ca_bundle: str | None = None) -> str:
    """Write the Dockerfile of a base image; `ca_bundle` is the secret of certificates to trust.

    The files of Debian itself are expected as `root.tar` in its context.
    """
    recipe = RECIPES[name]
    if recipe.parent is None:
        return (
            "FROM scratch\nADD root.tar /\n"
            "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\\n"
            "    LANG=C.UTF-8\n"
            'CMD ["/bin/sh"]\n'
        )
    mount = f"--mount=type=secret,id={ca_bundle} " if ca_bundle else ""
    trust = f" -o Acquire::https::CAInfo=/run/secrets/{ca_bundle}" if ca_bundle else ""
    packages = [*recipe.packages, *(["npm"] if recipe.npm else [])]
    commands = [
        f"apt-get{trust} update -q",
        f"DEBIAN_FRONTEND=noninteractive apt-get{trust} install -q -y --no-install-recommends "
        f"{' '.join(packages)}",
        *(_own_npm(recipe.npm, ca_bundle) if recipe.npm else []),
        "rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt "
        "/var/log/dpkg.log",
    ]
    argument = "ARG npm_config_registry\n" if recipe.npm else ""
    copies = [f"COPY {source} {target}\n" for source, target in recipe.files.items()]
    return (
        f"FROM {OWN}{recipe.parent}\n{argument}RUN {mount}{_AND.join(commands)}\n{''.join(copies)}"
    )


def _own_npm(version: str, ca_bundle: str | None) -> list[str]:
    """Return the commands that have Debian's npm fetch another, and then go."""
    trust = f"NODE_EXTRA_CA_CERTS=/run/secrets/{ca_bundle} " if ca_bundle else ""
    return [
        f"{trust}npm install --global --prefix=/usr/local --cache=/tmp/npm npm@{version}",
        "apt-get purge -q -y --auto-remove npm",
        "rm -rf /tmp/npm",
    ]


def context(name: str) -> dict[str, bytes]:
    """Return the files that the Dockerfile copies."""
    here = files("barque.bases") / "files"
    return {file: (here / file).read_bytes() for file in RECIPES[name].files}


def fingerprint(name: str) -> str:
    """Return what changes when an image, or one that it is made upon, is to be made anew."""
    recipe = RECIPES[name]
    own = [dockerfile(name), recipe.suite, *(str(text) for text in context(name).values())]
    above = fingerprint(recipe.parent) if recipe.parent else ""
    return hashlib.sha256("\n".join([above, *own]).encode()).hexdigest()[:16]
