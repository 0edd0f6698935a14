"""Where a command acts, and as whom: credentials, linked folders, output."""

import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from barque.client import ApiError, Client, Unreachable

LINK = ".barque-link"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_DEFAULT_URL = "http://127.0.0.1:8000"

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def credentials_file() -> Path:
    """Return where `barque login` keeps the address and key."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "barque" / "credentials.json"


def save_credentials(url: str, key: str) -> None:
    """Keep an address and key, in a file that only its owner may read."""
    path = credentials_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    path.write_text(json.dumps({"url": url, "key": key}))


def identity() -> tuple[str, str]:
    """Return the address and key of whoever is logged in, here or in the environment."""
    url, key = os.environ.get("BARQUE_URL"), os.environ.get("BARQUE_API_KEY")
    saved = credentials_file()
    if saved.exists() and not (url and key):
        kept = json.loads(saved.read_text())
        url, key = url or kept["url"], key or kept["key"]
    admin = Path(os.environ.get("BARQUE_DATA_DIR", ".barque")) / "admin.key"
    if not key and admin.exists():
        key = admin.read_text().strip()
    if not key:
        fail("not logged in: run 'barque login URL', or set BARQUE_URL and BARQUE_API_KEY")
    return url or _DEFAULT_URL, key


def children(address: str) -> list[Any]:
    """List what an address holds; the organizations for ""."""
    known, depth = client(), address.strip("/").count("/") + 1 if address else 0
    found: list[Any] = (
        (known.orgs, lambda: known.org(address).projects(),
         lambda: known.project(address).envs(), lambda: known.env(address).services())[depth]()
    )  # fmt: skip
    return found


def create(parent: str, **fields: Any) -> Any:
    """Make something in what an address names; an organization for ""."""
    known, depth = client(), parent.strip("/").count("/") + 1 if parent else 0
    if depth == 0:
        return known.create_org(**fields)
    if depth == 1:
        return known.org(parent).create_project(**fields)
    if depth == 2:
        return known.project(parent).create_env(**fields)
    return known.env(parent).create_service(**fields)


def client() -> Client:
    """Return the client of whoever is logged in."""
    return Client(*identity())


def linked() -> str | None:
    """Return the service that this folder, or one above it, is linked to."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        if (folder / LINK).is_file():
            return (folder / LINK).read_text().strip()
    return None


def address_of(given: str | None) -> str:
    """Return the address that was given, or the linked one."""
    address = given or linked()
    if address is None:
        fail("which service? name it as org/project/env/service, or run 'barque link' here")
    return address


def fail(message: str, code: int = 1) -> NoReturn:
    """End with one sentence on standard error."""
    err.print(f"barque: {message}", markup=False, soft_wrap=True)
    raise SystemExit(code)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn every error that is no defect into one sentence."""
    try:
        yield
    except ApiError as error:
        fields = "".join(f"\n  {one['field']}: {one['message']}" for one in error.errors)
        fail(f"the platform refused this:{fields}" if fields else error.message)
    except ModuleNotFoundError as error:
        fail(f"{error.name} is missing: what serves needs pip install 'barque[server]'")
    except (Unreachable, ValueError, OSError) as error:
        fail(str(error))


def show(value: Any, columns: Sequence[str], as_json: bool) -> None:
    """Print rows as a table for people, or as JSON for programs."""
    if as_json:
        typer.echo(json.dumps(value))
        return
    rows = value if isinstance(value, list) else [value]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " ").upper(), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    out.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return " ".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value)) or "-"
    if isinstance(value, str) and _MOMENT.match(value):
        return value[:19].replace("T", " ")
    return str(value)
