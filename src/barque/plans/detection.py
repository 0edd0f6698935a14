"""Making the plan of a repository: the first provider that knows it, and its Procfile."""

from collections.abc import Callable

import msgspec

from barque.plans import go, static
from barque.plans.bases import Bases
from barque.plans.node import provider as node
from barque.plans.plan import Plan, PlanError
from barque.plans.procfile import parse_procfile
from barque.plans.python import provider as python
from barque.plans.source import SOURCE, Source
from barque.plans.tree import Tree

PROCFILE = "Procfile"
_NOTHING = (
    "the repository has no Dockerfile, and nothing that says how to build it: add a Dockerfile, "
    "requirements.txt or pyproject.toml (Python), package.json (Node.js), go.mod (Go), index.html "
    "(a static site), or a Procfile; if they are in a folder, set root_directory"
)


def processes_of(tree: Tree) -> dict[str, str]:
    """Return the processes of the Procfile, or none without one. Raises `PlanError`."""
    return parse_procfile(tree.text(PROCFILE) or "")


def make_plan(tree: Tree, bases: Bases) -> Plan:
    """Plan a repository from its files alone; nothing of it is run.

    Raises `PlanError`, and nothing else, whatever the files are.
    """
    source = Source(tree, bases, processes_of(tree))
    return _storable(_decided(source, _provided(source)))


def _provided(source: Source) -> Plan:
    """Ask each provider in turn. What one complains of counts if none of the others knows more."""
    providers: tuple[Callable[[Source], Plan | None], ...] = (
        go.plan, python.plan, node.plan, static.plan, _procfile_alone,
    )  # fmt: skip
    complaint: PlanError | None = None
    for provider in providers:
        try:
            found = provider(source)
        except PlanError as error:
            complaint = complaint or error
            continue
        if found is not None and not (complaint and found.provider == "procfile"):
            return found
    raise complaint or PlanError(_NOTHING)


def _procfile_alone(source: Source) -> Plan | None:
    if not source.has_web():
        return None
    return Plan(
        provider="procfile",
        version=None,
        reasons=["found no language, only a Procfile: what it says runs upon the plain base image"],
        stages=[],
        base=source.bases.plain("runtime").run,
        parts=[SOURCE],
        processes={},
    )


def _decided(source: Source, plan: Plan) -> Plan:
    """Let the Procfile have its way: it names all processes, or beside `release` none."""
    if not source.procfile:
        return plan
    processes = source.procfile if source.has_web() else {**plan.processes, **source.procfile}
    reason = f"processes: the Procfile's, {', '.join(source.procfile)}"
    return msgspec.structs.replace(plan, processes=processes, reasons=[*plan.reasons, reason])


def _storable(plan: Plan) -> Plan:
    """Return a plan that any database takes. Raises `PlanError`."""
    try:
        encoded = msgspec.json.encode(plan)
    except UnicodeEncodeError:
        raise PlanError("a file of the repository has half a character: save it as UTF-8") from None
    if b"\\u0000" in encoded:
        raise PlanError("a command of the repository has a NUL in it: take that out")
    return plan
