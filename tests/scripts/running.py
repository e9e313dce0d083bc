"""Runs a script of the repository in this process, as ``python scripts/NAME.py ARGUMENTS`` would."""

from __future__ import annotations

import hashlib
import json
import runpy
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from hydra.core.global_hydra import GlobalHydra

from tests.shared_directory import shared_directory

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

    def trained(self, *arguments: str) -> Path:
        """The run that ``train`` leaves here, for a test of what is done with it.

        The same arguments beside the same tables are trained once in a test run; others get a copy.
        """
        tables = sorted(path for path in self.directory.iterdir() if path.is_file())
        asked = repr((arguments, [(path.name, path.read_bytes()) for path in tables]))
        kept = shared_directory("trained-runs") / hashlib.sha256(asked.encode()).hexdigest()
        with FileLock(f"{kept}.lock"):
            if not kept.exists():
                finished = self("train", *arguments)
                assert finished.status == 0, finished.err
                partial = kept.with_suffix(".partial")
                for part in ("data", finished.run):
                    shutil.copytree(self.directory / part, partial / part)
                partial.rename(kept)
                return finished.run
        (run,) = (path.relative_to(kept) for path in (kept / "runs").iterdir())
        if (self.directory / run).exists():  # another one that began in the same second
            return self("train", *arguments).run
        self.monkeypatch.chdir(self.directory)
        shutil.copytree(kept, self.directory, dirs_exist_ok=True)
        manifest = self.directory / run / "run.json"
        text = manifest.read_text(encoding="utf-8")
        # That of the test that trained it: data/prepared/NAME in its own directory.
        data = Path(json.loads(text)["data_directory"])
        here = self.directory.joinpath(*data.parts[-3:])
        manifest.write_text(text.replace(str(data), str(here)), encoding="utf-8")
        return run
