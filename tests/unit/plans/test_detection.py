"""What each kind of repository becomes."""

import json
from pathlib import Path

import pytest

from barque.plans.plan import PlanError
from tests.unit.plans.helpers import commands, own_bases, plan_of

FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
FASTAPI = "from fastapi import FastAPI\napi: FastAPI = FastAPI(title='x')\n"
FACTORY = "from flask import Flask\ndef create_app():\n    app = Flask(__name__)\n    return app\n"
WSGI = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
ASGI = WSGI.replace("wsgi", "asgi")
DJANGO = {"manage.py": "", "requirements.txt": "Django>=5\ngunicorn\n", "shop/wsgi.py": WSGI}
GO = "package main\n\nfunc main() {}\n"
GO_MOD = "module example.org/team/shop/v2\n\ngo 1.22\n"


def package(**fields: object) -> dict[str, str]:
    return {"package.json": json.dumps(fields)}


def project(**fields: object) -> str:
    lines = "\n".join(f"{name.replace('_', '-')} = {json.dumps(v)}" for name, v in fields.items())
    return f'[project]\nname = "x"\nversion = "1"\n{lines}\n'


GUNICORN = 'exec gunicorn --bind "0.0.0.0:${PORT:-8000}" --threads 8 --worker-tmp-dir /dev/shm '
SITE = "exec serve-static /srv/www /index.html"
UVICORN = 'exec uvicorn --host 0.0.0.0 --port "${PORT:-8000}" '


@pytest.mark.parametrize(
    ("files", "provider", "web"),
    [
        ({"requirements.txt": "flask", "app.py": FLASK}, "python", f"{GUNICORN}app:app"),
        ({"requirements.txt": "flask", "wsgi.py": FLASK}, "python", f"{GUNICORN}wsgi:app"),
        ({"app.py": FLASK}, "python", f"{GUNICORN}app:app"),
        (
            {"requirements.txt": "flask", "shop/__init__.py": FACTORY},
            "python", f"{GUNICORN}'shop:create_app()'",
        ),
        (
            {"requirements.txt": "flask", "shop/__init__.py": FACTORY,
             "wsgi.py": "from shop import create_app\nserver = create_app()\n"},
            "python", f"{GUNICORN}wsgi:server",
        ),
        ({"app/main.py": FASTAPI, "app.py": ""}, "python", f"{UVICORN}app.main:api"),
        (
            {"pyproject.toml": project(dependencies=["fastapi"]), "src/shop/main.py": FASTAPI},
            "python", f"{UVICORN}shop.main:api",
        ),
        (
            {"requirements.txt": "fastapi", "tests/app.py": FLASK, "deep/app/api.py": FASTAPI},
            "python", f"{UVICORN}deep.app.api:api",
        ),
        (
            {"main.py": FACTORY.replace("flask import Flask", "litestar import Litestar")},
            "python", f"{UVICORN}--factory main:create_app",
        ),
        (DJANGO, "python", f"{GUNICORN}shop.wsgi:application"),
        ({"manage.py": "", "shop/asgi.py": ASGI}, "python", f"{UVICORN}shop.asgi:application"),
        (package(scripts={"start": "node ."}), "node", "node ."),
        (package(scripts={"start": "next start", "build": "next build"}), "node", "next start"),
        (
            package(scripts={"prestart": "node m.js", "start": "node s.js"}),
            "node", "node m.js && node s.js",
        ),
        ({**package(), "server.js": ""}, "node", "exec node server.js"),
        ({**package(main="lib/it.js"), "lib/it.js": ""}, "node", "exec node lib/it.js"),
        (package(scripts={"build": "vite build"}), "node", SITE),
        (
            package(scripts={"build": "x", "start": "PORT=3 react-scripts start"}),
            "node", SITE,
        ),
        ({"index.html": ""}, "static", "exec serve-static /srv/www"),
        ({"public/index.html": "", "package.json": "{}"}, "static", "exec serve-static /srv/www"),
        ({**package(name="x"), "index.html": ""}, "static", "exec serve-static /srv/www"),
        ({"go.mod": GO_MOD, "main.go": GO}, "go", "exec shop"),
        ({"go.mod": "module x\n", "cmd/it/main.go": GO}, "go", "exec it"),
        (
            {"go.mod": GO_MOD, "cmd/tool/main.go": GO, "cmd/web/main.go": GO,
             "gen.go": f"//go:build ignore\n\n{GO}", "main_test.go": GO},
            "go", "exec web",
        ),
        ({"Procfile": "web: ./run\n"}, "procfile", "./run"),
        ({**package(), "app.py": FLASK}, "python", f"{GUNICORN}app:app"),
        ({**package(scripts={"start": "node x"}), "requirements.txt": ""}, "node", "node x"),
    ],
)  # fmt: skip
def test_web(tmp_path: Path, files: dict[str, str], provider: str, web: str) -> None:
    plan = plan_of(tmp_path, files, own_bases(go_1="go"))
    assert (plan.provider, plan.processes) == (provider, {"web": web})
    assert plan.reasons


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no Dockerfile"), ({"README": "x"}, "requirements.txt"),
        ({"Procfile": "web gunicorn"}, "line 1 of the Procfile"),
        ({"requirements.txt": "numpy"}, "found requirements.txt, but no Django"),
        ({"pyproject.toml": "[project"}, "pyproject.toml cannot be read"),
        ({"package.json": "{"}, "package.json cannot be read"),
        (package(name="x"), "no script 'start' or 'build'"),
        (package(scripts={"start": "npm run serve"}), "calls npm"),
        ({"go.mod": "module x"}, "no file of 'package main'"),
        ({"go.mod": "module x\ngo 1.99\n", "main.go": GO}, "go.mod asks for go >=1.99"),
        ({"go.mod": "module x", "a/a.go": GO, "b/b.go": GO}, "found the programs a, b"),
        ({"app.py": FLASK, ".python-version": "3.7\n"}, ".python-version asks for python 3.7"),
        ({"app.py": FLASK, ".python-version": "pypy3"}, "python-version: 'pypy3' is not"),
        ({**package(engines={"node": "^6"}), "index.js": ""}, "engines in package.json asks"),
        ({**package(engines={"node": "\ud800\n"}), "index.js": ""}, "'\ufffd' is not a version"),
    ],
)  # fmt: skip
def test_complaints(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(PlanError) as error:
        plan_of(tmp_path, files)
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["a \ud800", "a \0"])
def test_what_no_database_stores_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PlanError):
        plan_of(tmp_path, package(scripts={"start": text}))


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({}, "3.13"), ({".python-version": "# ours\n3.11.4\n"}, "3.11"),
        ({"runtime.txt": "python-3.11.9\n"}, "3.11"),
        ({"pyproject.toml": project(requires_python=">=3.10,<3.12")}, "3.11"),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "~3.11"\n'}, "3.11"),
        ({".python-version": "3.13", "runtime.txt": "python-3.11.9"}, "3.13"),
    ],
)  # fmt: skip
def test_python_versions(tmp_path: Path, files: dict[str, str], version: str) -> None:
    plan = plan_of(tmp_path, {"app.py": FLASK, **files})
    assert plan.version == version
    assert plan.base == f"barque/base:python{version}"


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({}, "20"), (package(engines={"node": "18.x"}), "18"), ({".nvmrc": "v18.2"}, "18"),
        ({".nvmrc": "lts/iron"}, "20"), ({".node-version": "18"}, "18"),
        (package(engines={"node": ">=18"}), "20"), (package(engines=["x"]), "20"),
    ],
)  # fmt: skip
def test_node_versions(tmp_path: Path, files: dict[str, str], version: str) -> None:
    assert plan_of(tmp_path, {**package(), "index.js": "", **files}).version == version


def test_the_bases_of_the_setting_come_first(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"app.py": FLASK}, own_bases(python_3="registry/python:3"))
    assert list(plan.bases()) == ["registry/python:3", "registry/python:3-run"]
    asked = {"app.py": FLASK, ".python-version": "3.11"}
    bases = own_bases(**{"python_3.14": "p"})
    assert plan_of(tmp_path, asked, bases).base == "barque/base:python3.11"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"requirements.txt": "flask"}, "install -r requirements.txt"),
        ({"pyproject.toml": project(dependencies=["flask"])}, "uv pip install -r pyproject.toml"),
        ({"pyproject.toml": project(), "uv.lock": ""}, "uv sync --frozen"),
        ({"pyproject.toml": project(), "uv.lock": "", "requirements.txt": "x"}, "uv sync --frozen"),
        ({"pyproject.toml": project(), "poetry.lock": ""}, "poetry install --no-interaction"),
        ({"pyproject.toml": project(), "pdm.lock": ""}, "pdm sync --prod --no-self"),
    ],
)
def test_python_installers(tmp_path: Path, files: dict[str, str], command: str) -> None:
    plan = plan_of(tmp_path, {"app.py": FLASK, **files})
    assert command in commands(plan)
    (install,) = [s for s in plan.stages[0].steps if s.title == "install the dependencies"]
    assert "." not in install.needs
    assert install.caches


@pytest.mark.parametrize(
    ("files", "lean", "needs"),
    [
        ({"package-lock.json": "{}"}, "npm ci --omit=dev", ["package.json", "package-lock.json"]),
        ({}, "npm install --omit=dev", ["package.json"]),
        ({".npmrc": ""}, "npm install --omit=dev", ["package.json", ".npmrc"]),
        (
            {"pnpm-lock.yaml": "lockfileVersion: '9.0'\n"},
            "pnpm@9\npnpm install --frozen-lockfile --store-dir /root/.pnpm-store --prod",
            ["package.json", "pnpm-lock.yaml"],
        ),
        (
            {"pnpm-lock.yaml": "lockfileVersion: '6.0'\n"},
            "pnpm@8\npnpm install --frozen-lockfile --store-dir /root/.pnpm-store --prod",
            ["package.json", "pnpm-lock.yaml"],
        ),
        (
            {"yarn.lock": "# yarn lockfile v1\n"},
            "yarn@1\nyarn install --frozen-lockfile --production", ["package.json", "yarn.lock"],
        ),
        (
            {"yarn.lock": "__metadata:\n  version: 8\n"},
            "@yarnpkg/cli-dist@4\nyarn workspaces focus --production",
            ["package.json", "yarn.lock"],
        ),
        (
            {**package(packageManager="pnpm@10.2.1+sha512.abc")},
            "pnpm@10.2.1\npnpm install --store-dir /root/.pnpm-store --prod", ["package.json"],
        ),
        (
            {**package(packageManager="yarn@4.5.0"), "yarn.lock": ""},
            "@yarnpkg/cli-dist@4.5.0\nyarn workspaces focus --production",
            ["package.json", "yarn.lock"],
        ),
        (package(packageManager="npm@11.1.0"), "npm@11.1.0\nnpm install --omit=dev",
         ["package.json"]),
        ({**package(packageManager="pnpm@9; rm /")}, "npm install --omit=dev", ["package.json"]),
    ],
)  # fmt: skip
def test_node_managers(tmp_path: Path, files: dict[str, str], lean: str, needs: list[str]) -> None:
    plan = plan_of(tmp_path, {**package(), "index.js": "", **files})
    assert commands(plan).removeprefix("npm install --global ") == lean
    assert plan.stages[0].steps[-1].needs == needs


@pytest.mark.parametrize(
    "fields",
    [
        {"scripts": {"postinstall": "node x"}}, {"workspaces": ["a"]},
        {"dependencies": {"a": "file:./a"}}, {"pnpm": {"patchedDependencies": {"a": "a.patch"}}},
    ],
)  # fmt: skip
def test_installing_that_needs_the_source_comes_after_it(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    plan = plan_of(tmp_path, {**package(**fields), "index.js": ""})
    assert [stage.name for stage in plan.stages] == ["build"]
    assert plan.stages[0].steps[0].needs == ["."]
    assert "npm prune --omit=dev" in commands(plan)


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("flask", ["requirements.txt"]), ("-r requirements/base.txt\n",
        ["requirements.txt", "requirements/base.txt", "requirements/more.txt"]),
        ("-e .", ["."]), ("./lib", ["."]), ("lib @ file:lib", ["."]), ("-r ../../x", ["."]),
        ("-r nothing.txt", ["."]), ("-r requirements.txt", ["requirements.txt"]),
        ("-r 'a b.txt'", ["."]),
    ],
)  # fmt: skip
def test_what_requirements_need(tmp_path: Path, text: str, needs: list[str]) -> None:
    more = {"requirements/base.txt": "-c more.txt\nflask", "requirements/more.txt": "x==1"}
    plan = plan_of(tmp_path, {"requirements.txt": text, "app.py": FLASK, **more})
    assert plan.stages[0].steps[1].needs == needs


@pytest.mark.parametrize(
    ("requirements", "procfile", "added"),
    [
        ("flask", None, ["gunicorn"]), ("flask\nGunicorn==23", None, []),
        ("flask\n# gunicorn", None, ["gunicorn"]), ("flask", "web: python app.py", []),
        ("flask", "web: gunicorn app:app", ["gunicorn"]),
        ("fastapi", "web: uvicorn app:app", ["uvicorn"]),
        ("fastapi[standard]>=0.1", "web: uvicorn app:app", []),
        ("flask", "release: ./migrate", ["gunicorn"]),
    ],
)  # fmt: skip
def test_servers_are_added(
    tmp_path: Path, requirements: str, procfile: str | None, added: list[str]
) -> None:
    files = {"requirements.txt": requirements, "app.py": FLASK}
    plan = plan_of(tmp_path, {**files, **({"Procfile": procfile} if procfile else {})})
    said = [reason.split()[0] for reason in plan.reasons if reason.endswith("and is added")]
    assert said == added
    assert ("install the server" in [s.title for s in plan.stages[0].steps]) == bool(added)


def test_a_procfile_decides(tmp_path: Path) -> None:
    files = {"requirements.txt": "flask", "app.py": FLASK}
    workers = plan_of(tmp_path, {**files, "Procfile": "worker: python work.py\n"})
    assert workers.processes == {"worker": "python work.py"}
    release = plan_of(tmp_path, {**files, "Procfile": "release: ./migrate\n"})
    assert release.processes == {"web": f"{GUNICORN}app:app", "release": "./migrate"}


def test_static_files_of_django_are_collected_where_the_settings_say_so(tmp_path: Path) -> None:
    assert "collectstatic" not in commands(plan_of(tmp_path, DJANGO))
    files = {**DJANGO, "shop/settings.py": "STATIC_ROOT = 'x'\n", "Procfile": "web: x\n"}
    plan = plan_of(tmp_path, files)
    assert "python manage.py collectstatic --noinput" in commands(plan)
    assert plan.parts[-1].stage == "build"


def test_packages_are_installed(tmp_path: Path) -> None:
    text = project() + '[build-system]\nrequires = ["hatchling"]\n'
    plan = plan_of(tmp_path, {"pyproject.toml": text, "uv.lock": "", "app.py": FLASK})
    assert "--no-editable --inexact" in commands(plan)
    virtual = f"{text}[tool.uv]\npackage = false\n"
    plan = plan_of(tmp_path, {"pyproject.toml": virtual, "uv.lock": "", "app.py": FLASK})
    assert "--no-editable" not in commands(plan)
    workspace = f"{text}[tool.uv.workspace]\nmembers = ['x']\n"
    plan = plan_of(tmp_path, {"pyproject.toml": workspace, "uv.lock": "", "app.py": FLASK})
    assert plan.stages[0].steps[1].needs == ["."]


def test_go(tmp_path: Path) -> None:
    files = {"go.mod": "module x\n\ngo 1.19\n", "go.sum": "x", "main.go": GO}
    plan = plan_of(tmp_path, files)
    assert commands(plan).splitlines()[0] == "go mod download"
    vendored = plan_of(tmp_path, {**files, "vendor/modules.txt": ""})
    assert "go mod download" not in commands(vendored)
    assert vendored.stages[0].environment["CGO_ENABLED"] == "0"
    calls_c = plan_of(tmp_path, {**files, "c.go": 'package main\nimport "C"\n'})
    assert calls_c.stages[0].environment["CGO_ENABLED"] == "1"
