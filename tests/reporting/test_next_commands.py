from pathlib import Path

import pytest

from recsys.reporting.next_commands import next_commands, print_next_commands
from tests.models.board_data import prepared_board


@pytest.fixture(autouse=True)
def as_the_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.reporting.next_commands.typed_command", lambda name: f"recsys {name}")


def test_the_commands_have_the_run_and_ids_of_its_data() -> None:
    assert next_commands(Path("runs/a"), prepared_board()) == [
        "recsys recommend run=runs/a user=u00",
        "recsys similar run=runs/a item=i00",
        "recsys export run=runs/a output=bundles/first",
    ]


def test_a_line_that_is_too_long_is_broken_as_a_shell_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    path = "runs/" + "long " * 25
    print_next_commands(Path(path), prepared_board())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "to go on:"
    assert lines[1:4] == ["  recsys recommend \\", f"    'run={path}' \\", "    user=u00"]


def test_a_path_is_quoted_for_the_shell() -> None:
    assert next_commands(Path("my runs/a"), prepared_board())[0] == "recsys recommend 'run=my runs/a' user=u00"
