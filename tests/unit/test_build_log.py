from barque.images.log import CutLog


def test_it_is_cut_once_and_says_so() -> None:
    said: list[str] = []
    log = CutLog(said.append, 20, 100)
    for line in ("12345678", "12345678", "x", "y"):
        log.say(line)
    assert said[:3] == ["12345678", "12345678", "x"]
    assert log.cut
    assert len(said) == 4
    assert "cut here" in said[3]


def test_many_short_lines_are_cut_as_well() -> None:
    said: list[str] = []
    log = CutLog(said.append, 10_000, 3)
    for _ in range(3):
        log.say("")
    assert not log.cut
    log.say("")
    assert log.cut
    assert said[:3] == ["", "", ""]
