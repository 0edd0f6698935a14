"""Plans as Dockerfiles: readable, and never more than the plan says."""

import json
import os
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barque.plans.detection import make_plan
from barque.plans.dockerfile import Inputs, dockerfile, ignored
from barque.plans.plan import Part, Plan, PlanError, Stage, Step
from barque.plans.tree import Tree
from tests.unit.plans.helpers import BASES, plan_of
from tests.unit.plans.test_detection import FACTORY, FASTAPI, FLASK, GO, WSGI

HOSTILE = "\"'`$;|&<>()\\\n\r\t\0 #{}=![]*?~%ä\u2028\x85EOF<<"
INPUTS = Inputs(["COLOUR"], ["TOKEN"], ca_bundle=True, scope="mine")


def instructions(text: str) -> list[tuple[str, str]]:
    """Read a Dockerfile as the builder does: lines that go on are joined, comments left out."""
    joined, open_line = [], ""
    for line in text.split("\n"):
        if line.lstrip().startswith("#") or not (line.strip() or open_line):
            continue
        if line.rstrip().endswith("\\"):
            open_line += line.rstrip()[:-1]
            continue
        joined.append(open_line + line)
        open_line = ""
    assert not open_line, "the last line goes on"
    found = [line.strip().partition(" ") for line in joined]
    return [(word, rest.strip()) for word, _, rest in found]


def check(plan: Plan, text: str) -> None:
    """Hold a Dockerfile to its plan: nothing is in it that the plan does not say."""
    found = instructions(text)
    words = [word for word, _ in found]
    assert set(words) <= {"FROM", "WORKDIR", "ENV", "ARG", "COPY", "RUN", "USER", "CMD"}
    assert words.count("FROM") == len(plan.stages) + 1
    assert words.count("RUN") == sum(len(stage.steps) for stage in plan.stages)
    assert found[words.index("USER")][1] == "1000:1000"
    assert words[-2:] == ["USER", "CMD"]
    command = plan.processes.get("web") or next(iter(plan.processes.values()))
    assert json.loads(found[-1][1]) == ["/bin/sh", "-c", command]
    last = len(words) - 1 - words[::-1].index("FROM")
    assert "RUN" not in words[last:]
    assert words[last:].count("COPY") == len(plan.parts)


def test_the_whole_of_one(tmp_path: Path) -> None:
    files = {"requirements.txt": "flask\n-r more/x.txt", "more/x.txt": "gunicorn", "app.py": FLASK}
    assert dockerfile(plan_of(tmp_path, files), INPUTS) == (
        "# Made by Barque for python 3.13. A Dockerfile in the repository takes its place.\n"
        "# - found requirements.txt: Python\n"
        "# - dependencies: requirements.txt, with pip\n"
        "# - web: Flask, app:app in app.py\n"
        "\n"
        "FROM barque/base:python3.13-build AS dependencies\n"
        "WORKDIR /srv/app\n"
        'ENV SSL_CERT_FILE="/run/secrets/BARQUE_CA_BUNDLE" \\\n'
        '    CURL_CA_BUNDLE="/run/secrets/BARQUE_CA_BUNDLE" \\\n'
        '    REQUESTS_CA_BUNDLE="/run/secrets/BARQUE_CA_BUNDLE" \\\n'
        '    PIP_CERT="/run/secrets/BARQUE_CA_BUNDLE" \\\n'
        '    NODE_EXTRA_CA_CERTS="/run/secrets/BARQUE_CA_BUNDLE" \\\n'
        '    GIT_SSL_CAINFO="/run/secrets/BARQUE_CA_BUNDLE"\n'
        'ENV VIRTUAL_ENV="/opt/venv" \\\n'
        '    PIP_DISABLE_PIP_VERSION_CHECK="1" \\\n'
        '    PIP_ROOT_USER_ACTION="ignore" \\\n'
        '    PATH="/opt/venv/bin:$PATH"\n'
        "ARG COLOUR\n"
        "# make the virtual environment\n"
        "RUN --mount=type=secret,id=TOKEN \\\n"
        "    --mount=type=secret,id=BARQUE_CA_BUNDLE \\\n"
        '    export TOKEN="$(cat /run/secrets/TOKEN)" \\\n'
        " && python3 -m venv --without-pip /opt/venv\n"
        "COPY requirements.txt ./\n"
        "COPY more/x.txt ./more/\n"
        "# install the dependencies\n"
        "RUN --mount=type=cache,id=mine/root/.cache/pip,target=/root/.cache/pip,sharing=locked \\\n"
        "    --mount=type=secret,id=TOKEN \\\n"
        "    --mount=type=secret,id=BARQUE_CA_BUNDLE \\\n"
        '    export TOKEN="$(cat /run/secrets/TOKEN)" \\\n'
        " && pip --python /opt/venv/bin/python install -r requirements.txt\n"
        "\n"
        "FROM barque/base:python3.13\n"
        'ENV PYTHONUNBUFFERED="1" \\\n'
        '    HOME="/srv/app" \\\n'
        '    PATH="/opt/venv/bin:$PATH"\n'
        "COPY --from=dependencies /opt/venv /opt/venv\n"
        "COPY --chown=1000:1000 . /srv/app\n"
        "WORKDIR /srv/app\n"
        "USER 1000:1000\n"
        'CMD ["/bin/sh", "-c", "exec gunicorn --bind \\"0.0.0.0:${PORT:-8000}\\" --threads 8 '
        '--worker-tmp-dir /dev/shm app:app"]\n'
    )


def test_a_folder_to_work_in_that_no_part_makes_is_the_same_in_each_build(tmp_path: Path) -> None:
    lines = dockerfile(plan_of(tmp_path, {"index.html": "hello"})).splitlines()
    assert lines[-4:-1] == ["WORKDIR /srv/app", "COPY . /srv/www", "USER 1000:1000"]


def test_what_is_not_copied(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"requirements.txt": "x", "app.py": FLASK})
    lines = ignored(plan, "*.txt\n!notes\n").splitlines()
    assert lines[-3:] == ["*.txt", "!notes", "!requirements.txt"]
    assert "**/node_modules" in lines
    assert "!." not in ignored(plan, None).splitlines()


@given(st.text(alphabet=HOSTILE + "abc", max_size=40), st.text(max_size=40))
def test_no_text_of_a_plan_becomes_an_instruction(text: str, other: str) -> None:
    plan = Plan(
        "python", other, [text, other], [], "base", [Part(".", "/app")],
        {"web": text or "x", "worker": other},
    )  # fmt: skip
    check(plan, dockerfile(plan, INPUTS))


@pytest.mark.parametrize("command", ["a\nUSER root", "a \\", "cat <<EOF", "a\r", "a\0", "a\u2028"])
def test_a_command_of_several_lines_is_refused(command: str) -> None:
    stage = Stage("build", "base", [Step("x", ["true", command])])
    with pytest.raises(PlanError, match="one line"):
        dockerfile(Plan("x", None, [], [stage], "base", [], {"web": "x"}))


ODD_NAMES = st.text(alphabet=HOSTILE.replace("\0", "") + "ab./-", min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
HOSTILE_TEXT = st.text(alphabet=HOSTILE + "abw.:-", max_size=30)
PACKAGE = st.fixed_dictionaries(
    {},
    optional={
        "scripts": st.dictionaries(
            st.sampled_from(["start", "build", "prestart", "postinstall"]), HOSTILE_TEXT | JSON
        ) | JSON,
        "main": HOSTILE_TEXT | JSON, "engines": st.just({"node": ">=18"}) | JSON,
        "packageManager": st.just("pnpm@9.1.0") | HOSTILE_TEXT | JSON,
        "dependencies": JSON, "workspaces": JSON, "pnpm": JSON,
    },
).map(json.dumps)  # fmt: skip
PROJECT = '[project]\nname = "x"\ndependencies = ["fastapi"]\n'
PROCFILE = st.just("web: run\nworker: go") | HOSTILE_TEXT.map("web: {}".format)
NONE = st.just("")
FITTING: dict[str, st.SearchStrategy[str]] = {
    "requirements.txt": st.sampled_from(["flask\n", "flask\n-r app.py\n", "-e .\n"]),
    "pyproject.toml": st.sampled_from([
        PROJECT, "[tool.poetry.dependencies]\na = 1\n",
        f'{PROJECT}[build-system]\n[tool.uv]\nsources = {{x = {{path = "x"}}}}\n',
    ]),
    "uv.lock": NONE, "poetry.lock": NONE, "pdm.lock": NONE, "manage.py": NONE,
    "app.py": st.sampled_from([FLASK, FASTAPI, FACTORY]), "main.py": st.just(FASTAPI),
    "shop/wsgi.py": st.just(WSGI), "shop/settings.py": st.just("STATIC_ROOT = 1\n"),
    "src/shop/__init__.py": st.just(FACTORY), ".python-version": st.just("3.11\n"),
    "runtime.txt": st.just("python-3.13.1\n"), "package.json": PACKAGE,
    "package-lock.json": NONE, "pnpm-lock.yaml": st.just("lockfileVersion: '6.0'"),
    "yarn.lock": st.sampled_from(["", "__metadata:\n"]), ".npmrc": NONE, ".nvmrc": st.just("18"),
    "server.js": NONE, "index.html": NONE, "public/index.html": NONE,
    "go.mod": st.just("module x\ngo 1.20\n"), "go.sum": NONE, "main.go": st.just(GO),
    "cmd/a/main.go": st.just(GO), "cmd/b/main.go": st.just(GO), "vendor/modules.txt": NONE,
    "Procfile": PROCFILE,
}  # fmt: skip
CONTENTS = (
    st.sampled_from(list(FITTING)).flatmap(FITTING.__getitem__) | JSON.map(json.dumps)
    | HOSTILE_TEXT
).map(str.encode) | st.binary(max_size=60)  # fmt: skip
KINDS = st.sampled_from(["file"] * 20 + ["folder", "link out", "link in", "loop", "pipe"])
USUAL = st.sampled_from(list(FITTING)).flatmap(
    lambda name: st.tuples(st.just(name), KINDS, FITTING[name].map(str.encode))
)
ODD = st.tuples(st.sampled_from(list(FITTING)) | ODD_NAMES, KINDS, CONTENTS)


def plant(root: Path, name: str, kind: str, content: bytes) -> None:
    """Make one entry of a tree, if the file system lets it."""
    path = root / name.lstrip("/")
    try:
        # Writing into a pipe would wait for a reader, and into a link would leave the folder.
        if ".." in path.parts or os.path.lexists(path):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        match kind:
            case "file":
                path.write_bytes(content)
            case "folder":
                path.mkdir()
            case "pipe":
                os.mkfifo(path)
            case _:
                targets = {"link out": "/etc/passwd", "link in": "requirements.txt", "loop": name}
                path.symlink_to(targets[kind])
    except (OSError, ValueError):
        return


@settings(max_examples=200, deadline=None)
@given(st.lists(USUAL | USUAL | ODD, max_size=9))
def test_any_tree_has_a_plan_or_a_complaint(entries: list[tuple[str, str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, kind, content in entries:
            plant(Path(folder), name, kind, content)
        try:
            plan = make_plan(Tree(Path(folder)), BASES)
        except PlanError as error:
            assert str(error)
            assert str(error).isprintable()
            return
        text = dockerfile(plan, INPUTS)
        check(plan, text)
        assert re.fullmatch(r"[^\0]*", text)
        text.encode()
        assert "passwd" not in text
