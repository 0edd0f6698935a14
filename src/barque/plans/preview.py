"""What would be built of a local folder."""

from pathlib import Path
from typing import Any

import msgspec

from barque.plans.bases import Bases
from barque.plans.detection import make_plan, processes_of
from barque.plans.dockerfile import dockerfile
from barque.plans.tree import Tree
from barque.settings import Settings


def preview(folder: Path) -> dict[str, Any]:
    """Return `plan` (or None), `dockerfile` and `processes` of a folder. Raises `PlanError`."""
    tree = Tree(folder)
    own = tree.text("Dockerfile")
    if own is not None:
        return {"plan": None, "dockerfile": own, "processes": processes_of(tree) or {"web": ""}}
    plan = make_plan(tree, Bases(Settings().base_images))
    return {
        "plan": msgspec.to_builtins(plan), "dockerfile": dockerfile(plan),
        "processes": plan.processes,
    }  # fmt: skip
