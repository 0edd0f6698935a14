"""Trees made of a few lines, and their plans."""

from pathlib import Path

from barque.plans.bases import Bases
from barque.plans.detection import make_plan
from barque.plans.plan import Plan
from barque.plans.tree import Tree
from barque.settings import BaseImage

BASES = Bases({})


def own_bases(**images: str) -> Bases:
    """Name one image for each key; `_` stands for the colon."""
    return Bases(
        {name.replace("_", ":"): BaseImage(run=f"{ref}-run", build=ref)
         for name, ref in images.items()}
    )  # fmt: skip


def write(root: Path, files: dict[str, str]) -> Tree:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(root)


def plan_of(root: Path, files: dict[str, str], bases: Bases = BASES) -> Plan:
    return make_plan(write(root, files), bases)


def commands(plan: Plan) -> str:
    steps = [step for stage in plan.stages for step in stage.steps]
    return "\n".join(command for step in steps for command in step.commands)
