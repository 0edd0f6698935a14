import pytest
import structlog

from barque.serve import configure_log


def test_a_traceback_holds_no_value_of_a_variable(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log()
    key = "barque_" + "k" * 8
    try:
        int("no number")
    except ValueError:
        structlog.get_logger().exception("request failed")
    said = capsys.readouterr()
    assert "ValueError" in said.out
    assert key not in said.out + said.err
