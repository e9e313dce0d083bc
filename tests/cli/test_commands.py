import shlex
from pathlib import Path

import pytest

from recsys.cli import commands
from recsys.cli.commands import (
    ENTRY_POINT_VARIABLE,
    app_program,
    as_typed,
    command_line,
    command_names,
    same_command,
    script_path,
    shell_lines,
    typed_command,
)
from recsys.errors import RunError

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


class TestTypedCommand:
    @pytest.fixture
    def environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The programs of an environment that this process runs in, below the current directory."""
        programs = tmp_path / ".venv" / "bin"
        programs.mkdir(parents=True)
        for name in ("python", "recsys"):
            (programs / name).touch(0o755)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.executable", str(programs / "python"))
        monkeypatch.setattr(commands, "SCRIPT_DIRECTORY", tmp_path / "scripts")
        monkeypatch.delenv(ENTRY_POINT_VARIABLE, raising=False)
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
        return programs

    def test_an_environment_that_is_not_active_is_named_by_its_path(self, environment: Path) -> None:
        assert typed_command("train") == ".venv/bin/python scripts/train.py"

    def test_a_command_of_a_file_is_made_one_to_type(self, environment: Path) -> None:
        (environment.parents[1] / "scripts").mkdir()
        (environment.parents[1] / "scripts" / "train.py").touch()
        kept = "python scripts/train.py data=toy 'data.name=python scripts/train.py'"
        assert as_typed(kept) == ".venv/bin/python scripts/train.py data=toy 'data.name=python scripts/train.py'"
        assert as_typed("python scripts/train.py") == ".venv/bin/python scripts/train.py"
        for other in ("python scripts/train.pyc", "python mine.py", ""):
            assert as_typed(other) == other

    def test_an_active_environment_needs_no_path(self, environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", f"{environment}:/usr/bin:/bin")
        assert typed_command("train") == "python scripts/train.py"

    def test_the_entry_point_has_a_path_too(self, environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(ENTRY_POINT_VARIABLE, "1")
        assert typed_command("train") == ".venv/bin/recsys train"
        monkeypatch.setenv("PATH", str(environment))
        assert typed_command("train") == "recsys train"

    def test_what_was_typed_is_what_goes_on(self, environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.argv", ["tune.py", "model=ease", "output=my study"])
        assert same_command("tune") == ".venv/bin/python scripts/tune.py model=ease 'output=my study'"

    def test_elsewhere_paths_are_whole_and_quoted(
        self, environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elsewhere = tmp_path / "a directory"
        elsewhere.mkdir()
        monkeypatch.chdir(elsewhere)
        assert typed_command("train") == f"{environment}/python {tmp_path}/scripts/train.py"
        monkeypatch.setattr(commands, "SCRIPT_DIRECTORY", elsewhere / "of mine" / "scripts")
        assert typed_command("train") == f"{environment}/python 'of mine/scripts/train.py'"


@pytest.mark.parametrize("width", [1, 20, 40, 200])
def test_lines_of_a_command_are_the_command_to_a_shell(width: int) -> None:
    command = "python 'a dir/train.py' model=ease 'data.root=a b=c' +model.x=1 training/optimizer=adam -m k=[1,2]"
    lines = shell_lines(command, width)
    assert shlex.split(lines.replace("\\\n", "")) == shlex.split(command)
    assert width < 200 or lines == command
    assert width > 40 or len(lines.splitlines()) > 2


def test_the_app_lies_beside_the_scripts_and_where_it_does_not_it_is_said_what_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app_program() == ROOT / "app" / "main.py"
    monkeypatch.setattr(commands, "SCRIPT_DIRECTORY", tmp_path / "scripts")
    with pytest.raises(RunError, match="recsys serve start"):
        app_program()
