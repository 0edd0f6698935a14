"""What is written wrongly: one sentence that says what was probably meant, or JSON."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import environment_in
from tests.platforms import run_barque


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("deplo", "there is no command 'barque deplo': did you mean 'barque deploy'?"),
        ("cancel", "there is no command 'barque cancel': did you mean 'barque deployments cancel' "
                   "or 'barque images cancel'?"),
        ("acme/shop", "there is no command 'barque acme/shop': 'barque --help' lists what there "
                      "is"),
        ("projects demo", "there is no command 'barque projects demo': did you mean 'barque "
                          "projects list demo'? 'barque projects' has 'list', 'create', 'show', "
                          "'set' and 'delete'"),
        ("releases 3", "there is no command 'barque releases 3': did you mean 'barque releases "
                       "show 3'? 'barque releases' has 'list', 'show', 'log' and 'diff'"),
        ("git clone", "there is no command 'barque git clone', 'barque git' has 'remote' and "
                      "'credential'"),
        ("help webhoks", "there is no command 'barque webhoks': did you mean 'barque webhooks'? "
                         "(and there are topics: exit-codes, json, addresses, environment)"),
        ("deploy --folow", "no such option: --folow (Possible options: --follow): see 'barque "
                           "deploy --help'"),
        ("ps acme/shop/production/web", "got unexpected extra argument(s) (acme/shop/production/"
                                        "web): name the service with -s: see 'barque ps --help'"),
        ("completion", "missing argument 'shell'. Choose from: bash, zsh, fish: see 'barque "
                       "completion --help'"),
        ("members set ann --role king", "invalid value for '--role': 'king' is not one of "
                                        "'viewer', 'developer', 'admin': see 'barque members set "
                                        "--help'"),
        ("login shop", "'shop' is no address of a platform: write http://host:port"),
        ("orgs create", "missing argument 'name': see 'barque orgs create --help'"),
        ("releases show x", "invalid value for 'version': it should be a valid integer: see "
                            "'barque releases show --help'"),
    ],
)  # fmt: skip
def test_one_sentence(command: str, sentence: str, tmp_path: Path) -> None:
    environment = environment_in(tmp_path)
    people = run_barque(command.split(), environment, tmp_path)
    assert (people.returncode, people.stdout, people.stderr) == (2, "", f"barque: {sentence}\n")
    programs = run_barque([*command.split(), "--json"], environment, tmp_path)
    assert (programs.returncode, programs.stdout) == (2, "")
    error = json.loads(programs.stderr)["error"]
    assert error == {"exit_code": 2, "message": sentence}


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("acme/shop/production", "services list acme/shop/production"),
        ("acme/shop/production/web", "services show acme/shop/production/web"),
    ],
)
def test_an_address_alone(address: str, command: str, tmp_path: Path) -> None:
    done = run_barque(["services", address], environment_in(tmp_path), tmp_path)
    assert done.returncode == 2
    assert f"did you mean 'barque {command}'?" in done.stderr


def test_what_follows_the_command_of_a_container_is_its_own(tmp_path: Path) -> None:
    done = run_barque(["rum", "--", "ls", "--json"], environment_in(tmp_path), tmp_path)
    assert done.stderr.startswith("barque: there is no command 'barque rum'")
