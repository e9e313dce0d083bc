from pathlib import Path

import pytest

from recsys.cli import commands
from recsys.cli.commands import ENTRY_POINT_VARIABLE, command_line, command_names, script_path

ROOT = Path(__file__).parents[2]


def test_the_commands_of_a_checkout_are_the_files_of_scripts() -> None:
    assert command_names() == sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
    assert script_path("train") == ROOT / "scripts" / "train.py"


def test_a_command_is_a_script_where_a_script_was_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENTRY_POINT_VARIABLE, raising=False)
    assert command_line("train") == "python scripts/train.py"


def test_a_command_is_called_by_its_name_where_the_entry_point_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENTRY_POINT_VARIABLE, "1")
    assert command_line("train") == "recsys train"


def test_a_command_is_called_by_its_name_where_scripts_lie_inside_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENTRY_POINT_VARIABLE, raising=False)
    monkeypatch.setattr(commands, "SCRIPT_DIRECTORY", ROOT / "recsys" / "scripts")
    assert command_line("train") == "recsys train"
