from pathlib import Path

import pytest

from recsys.reporting.next_commands import next_commands, print_next_commands
from tests.models.board_data import prepared_board


@pytest.fixture(autouse=True)
def as_the_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.reporting.next_commands.are_installed", lambda *modules: True)
    monkeypatch.setattr("recsys.reporting.next_commands.typed_command", lambda name: f"recsys {name}")


def test_the_commands_have_the_run_and_ids_of_its_data() -> None:
    assert next_commands(Path("runs/a"), prepared_board()) == [
        "recsys recommend run=runs/a user=u00",
        "recsys similar run=runs/a item=i00",
        "recsys export run=runs/a output=bundles/first",
    ]


def test_in_a_file_each_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("runs/" + "long" * 50)
    print_next_commands(path, prepared_board())
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["to go on:", *(f"  {command}" for command in next_commands(path, prepared_board())), ""]


def test_what_needs_an_extra_that_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.reporting.next_commands.are_installed", lambda *modules: False)
    assert not any("export" in command for command in next_commands(Path("runs/a"), prepared_board()))


def test_a_path_is_quoted_for_the_shell() -> None:
    assert next_commands(Path("my runs/a"), prepared_board())[0] == "recsys recommend 'run=my runs/a' user=u00"
