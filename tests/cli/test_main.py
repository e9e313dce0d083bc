import subprocess
import sys
from pathlib import Path

import pytest

import recsys
from recsys.cli.commands import ENTRY_POINT_VARIABLE, command_names
from recsys.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What :func:`main` changes of the process is put back after each test."""
    monkeypatch.setenv(ENTRY_POINT_VARIABLE, "")
    monkeypatch.setattr(sys, "argv", ["recsys"])


def a_script(directory: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Make ``text`` the only command, ``show_me``."""
    (directory / "show_me.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr("recsys.cli.commands.SCRIPT_DIRECTORY", directory)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_overview_has_a_line_for_each_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(arguments)
    lines = capsys.readouterr().out.partition("commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == command_names()
    (train,) = [line for line in lines if line.split()[0] == "train"]
    assert "Train and evaluate one model: recsys train model=neumf" in train
    assert not any("python scripts" in line or "`" in line for line in lines)


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"recsys {recsys.__version__}\n"


def test_an_unknown_command_is_answered_with_the_nearest_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["trian", "model=ease"])
    assert end.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == "error: recsys has no command 'trian'; the nearest is 'train'. All: recsys --help\n"


@pytest.mark.parametrize("name", ["show_me", "show-me"])
def test_a_command_gets_its_own_arguments_and_runs_as_the_main_program(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a_script(tmp_path, monkeypatch, "import sys\nprint(__name__, sys.argv)\n")
    main([name, "a=1", "--help", ""])
    assert capsys.readouterr().out == f"__main__ {[str(tmp_path / 'show_me.py'), 'a=1', '--help', '']}\n"


def test_the_status_of_a_command_is_that_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_script(tmp_path, monkeypatch, "raise SystemExit(7)\n")
    with pytest.raises(SystemExit) as end:
        main(["show_me"])
    assert end.value.code == 7


def test_the_overview_imports_nothing_heavy() -> None:
    program = (
        "import sys; from recsys.cli.main import main; main(['--help']); "
        "print(*{'torch', 'hydra', 'numpy', 'pandas', 'rich'} & set(sys.modules))"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert process.stdout.splitlines()[-1] == ""


def test_a_training_by_the_entry_point_sweeps_and_is_refused_as_by_the_script(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "recsys.cli.main", "train"]
    small = [
        "data=synthetic",
        "data.num_users=100",
        "data.num_items=60",
        "data.num_interactions=500",
        "tracking=none",
        "show_users=0",
    ]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'serving'}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    process = subprocess.run(
        [*command, "-m", "model=popularity,random", *small],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert process.returncode == 0, process.stderr
    assert len(list((tmp_path / "runs").glob("*/run.json"))) == 2
    refused = subprocess.run(
        [*command, "resume=runs/none"], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert refused.returncode == 2 and refused.stderr.startswith("error: ")
