from pathlib import Path

import pytest
from pydantic import ValidationError

from barque.bases.debian import BaseImageError, mirrors, sources
from barque.bases.recipes import RECIPES, context, dockerfile, fingerprint, with_parents
from barque.plans.bases import DEFAULTS, OWN
from barque.settings import Settings

DEB822 = """\
Types: deb
URIs: http://mirror.example.org/debian
Suites: bookworm

Types: deb
uris: http://mirror.example.org/debian-security/ http://other.example.org/debian-security
Suites: bookworm-security
"""


def sources_of(folder: Path, **files: str) -> Path:
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        (folder / name.replace("__", "/").replace("_", ".")).write_text(text)
    return folder


def test_mirrors_are_the_machines_own(tmp_path: Path) -> None:
    folder = sources_of(
        tmp_path,
        sources_list_d__a_sources=DEB822,
        sources_list_d__b_list="deb https://packages.example.org/tool stable main\n",
    )
    main, security = (
        "http://mirror.example.org/debian",
        "http://mirror.example.org/debian-security/",
    )
    assert mirrors(None, folder) == [main, security]
    assert mirrors("http://mine/debian", folder) == ["http://mine/debian", security]
    assert sources([main, security], "trixie") == [
        f"deb {main} trixie main", f"deb {security} trixie-security main",
    ]  # fmt: skip


def test_mirrors_in_the_older_form(tmp_path: Path) -> None:
    text = "# deb http://off/debian x main\ndeb [arch=amd64 trusted=yes] http://on/debian x main\n"
    assert mirrors(None, sources_of(tmp_path, sources_list=text)) == ["http://on/debian"]


def test_no_mirror(tmp_path: Path) -> None:
    folder = sources_of(tmp_path, sources_list="deb http://archive.example.org/ubuntu x main\n")
    with pytest.raises(BaseImageError, match="BARQUE_DEBIAN_MIRROR"):
        mirrors(None, folder)


def test_parents_come_first() -> None:
    assert with_parents(["python3.13-build", "static"]) == [
        "runtime", "python3.13", "python3.13-build", "static",
    ]  # fmt: skip
    for name in RECIPES:
        for line in dockerfile(name).splitlines():
            assert not line.startswith("FROM") or line.split()[1] in (
                "scratch",
                *_made_before(name),
            )
        assert context(name).keys() == RECIPES[name].files.keys()
        assert dockerfile(name, "CA") != dockerfile(name) or RECIPES[name].parent is None
    assert len({fingerprint(name) for name in RECIPES}) == len(RECIPES)


def _made_before(name: str) -> list[str]:
    return [OWN + one for one in with_parents([name])[:-1]]


def test_every_base_of_the_catalogue_can_be_made() -> None:
    for image in DEFAULTS.values():
        assert {image.run, image.build} <= {OWN + name for name in RECIPES}


@pytest.mark.parametrize(
    "value", ['{"ruby:3": "x"}', '{"python": "x"}', '{"static": "x\\nUSER root"}', "[]",
              '{"static": {"run": "x"}}', '{"static": "-x"}', "{"],
)  # fmt: skip
def test_base_images_that_are_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BARQUE_BASE_IMAGES", value)
    with pytest.raises(ValidationError, match="base_images"):
        Settings()


def test_settings_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "BARQUE_BASE_IMAGES", '{"python:3": "a/b:1", "static": {"run":"r","build":"b"}}'
    )
    monkeypatch.setenv("BARQUE_BUILD_ENVIRONMENT", '{"PIP_INDEX_URL": "x"}')
    found = Settings()
    assert found.base_images["python:3"].build == found.base_images["python:3"].run == "a/b:1"
    assert found.base_images["static"].run == "r"
    assert found.build_environment == {"PIP_INDEX_URL": "x"}


def test_debians_npm_only_fetches_the_one_that_stays() -> None:
    text = dockerfile("node20-build", "CA")
    fetched = text.index("NODE_EXTRA_CA_CERTS=/run/secrets/CA npm install --global")
    assert text.index("ARG npm_config_registry") < fetched < text.index("purge")
    assert "npm" not in dockerfile("node20", "CA")
