"""What an image is built by: the Dockerfile of its repository, or that of a plan."""

import os
from dataclasses import dataclass
from pathlib import Path

from barque.plans.bases import Bases
from barque.plans.detection import PROCFILE, make_plan, processes_of
from barque.plans.dockerfile import Inputs, dockerfile, ignored
from barque.plans.plan import Plan
from barque.plans.tree import Tree
from barque.services.models import Service

_USUAL = "Dockerfile"


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a builder needs to know, and what is stored of it.

    `dockerfile` is a text; `written` is where a plan's is, which is in no repository.
    """

    context: Path
    dockerfile: str | None
    procfile: str | None
    processes: dict[str, str]
    plan: Plan | None = None
    written: Path | None = None


def read_recipe(
    source: Path, scratch: Path, service: Service, bases: Bases, inputs: Inputs
) -> Recipe:
    """Read a work tree as a service wants it read; `scratch` is a folder for what is written.

    Raises `PlanError`.
    """
    tree = Tree(source)
    if service.root_directory is not None:
        tree = tree.below(service.root_directory)
    procfile = tree.text(PROCFILE)
    # A Dockerfile that was asked for and is missing is a mistake: no plan takes its place.
    if service.dockerfile != _USUAL or os.path.lexists(tree.root / _USUAL):
        text = tree.text(service.dockerfile)
        return Recipe(tree.root, text, procfile, processes_of(tree) or {"web": ""})
    plan = make_plan(tree, bases)
    text = dockerfile(plan, inputs)
    scratch.mkdir(parents=True, exist_ok=True)
    written = scratch / _USUAL
    written.write_text(text, encoding="utf-8")
    left_out = ignored(plan, tree.text(".dockerignore"))
    (scratch / f"{_USUAL}.dockerignore").write_text(left_out, encoding="utf-8")
    return Recipe(tree.root, text, procfile, plan.processes, plan, written)
