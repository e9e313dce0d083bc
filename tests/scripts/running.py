"""Runs a script of the repository in this process, as ``python scripts/NAME.py ARGUMENTS`` would."""

from __future__ import annotations

import runpy
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

SCRIPTS = Path(__file__).parents[2] / "scripts"


@dataclass(frozen=True)
class Finished:
    """Exit status and output of a script."""

    status: int
    out: str
    err: str

    @property
    def run(self) -> Path:
        """The run directory that the last line names."""
        last = self.out.strip().splitlines()[-1]
        assert last.startswith("run: "), self.out + self.err
        return Path(last.removeprefix("run: "))


@dataclass(frozen=True)
class Scripts:
    """Runs scripts in ``directory``, which receives all that they leave behind."""

    directory: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, name: str, *arguments: str) -> Finished:
        """Run ``scripts/NAME.py`` with ``arguments``."""
        GlobalHydra.instance().clear()
        # Hydra takes the tracing of coverage for a debugger, and then does not handle errors as it does for users.
        self.monkeypatch.setattr("hydra._internal.utils.is_under_debugger", lambda: False)
        self.monkeypatch.chdir(self.directory)
        self.monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
        status = 0
        self.capsys.readouterr()
        try:
            runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        captured = self.capsys.readouterr()
        return Finished(status, captured.out, captured.err)
