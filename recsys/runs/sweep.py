"""Remembers which run each combination of a sweep has made, so that a sweep goes on where it was interrupted.

::

    runs/sweeps/2026-01-31_12-00-00/
        multirun.yaml        Hydra's own
        jobs/1f0c....json    the overrides of a combination, and its run directory
"""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig

from recsys.cli.commands import typed_command
from recsys.cli.whole_files import whole_file
from recsys.errors import RunError
from recsys.runs.run_directory import RunDirectory

JOBS = "jobs"


@dataclass(frozen=True, slots=True)
class SweepJob:
    """One combination of a sweep.

    Args:
        directory: of the sweep.
        overrides: of this combination, as on a command line.
        number: of the combination, from 0.
    """

    directory: Path
    overrides: tuple[str, ...]
    number: int

    @property
    def run(self) -> RunDirectory | None:
        """The run that an earlier process made for this combination, finished or not; None where there is none.

        Raises:
            RunError: what the sweep remembers is damaged.
        """
        if not self._file.is_file():
            return None
        try:
            run = RunDirectory(Path(json.loads(self._file.read_text(encoding="utf-8"))["run"]))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self._file} is damaged ({error}). Delete it, and its run is made again.") from error
        return run if run.config_path.is_file() else None

    @property
    def finished_run(self) -> RunDirectory | None:
        """The run, if it came to its end; errors as of :attr:`run`."""
        run = self.run
        return run if run is not None and run.is_finished else None

    def remember(self, run: RunDirectory) -> None:
        """Note that ``run`` is that of this combination."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        content = {"overrides": list(self.overrides), "run": str(run.path)}
        with whole_file(self._file) as path:
            path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def to_go_on(self, arguments: Sequence[str]) -> str:
        """The command that goes on with the whole sweep.

        Args:
            arguments: of the command line that started it.
        """
        kept = [argument for argument in arguments if not argument.startswith("sweep=")]
        return f"{typed_command('train')} {shlex.join([*kept, f'sweep={self.directory}'])}"

    @property
    def _file(self) -> Path:
        digest = hashlib.sha256("\n".join(sorted(self.overrides)).encode()).hexdigest()
        return self.directory / JOBS / f"{digest[:16]}.json"


def current_job(config: DictConfig) -> SweepJob | None:
    """The combination that this call of a script is for; None where it is no part of a sweep.

    Raises:
        RunError: a sweep is to be gone on with, but it is not there, or ``-m`` is missing.
    """
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN:
        if config.sweep is not None:
            raise RunError("sweep=DIR goes on with a sweep, which needs -m and the same settings. Add them.")
        return None
    if config.sweep is not None and not (Path(config.sweep) / JOBS).is_dir():
        raise RunError(f"A sweep to go on with is required, but {config.sweep} has no {JOBS}/. Correct sweep=.")
    overrides = tuple(text for text in hydra.overrides.task if not text.startswith(("sweep=", "trusted_modules=")))
    return SweepJob(Path(hydra.sweep.dir), overrides, int(hydra.job.num))


def num_jobs(arguments: Sequence[str]) -> int:
    """How many combinations a sweep has.

    Args:
        arguments: of the command line that started it.

    Example:
        >>> num_jobs(["-m", "model=ease,mf", "seed=1,2,3", "evaluation.ks=[5,10]"])
        6
    """
    settings = [argument for argument in arguments if not argument.startswith("-")]
    overrides = OverridesParser.create().parse_overrides(settings)
    return math.prod(len(list(one.sweep_string_iterator())) for one in overrides if one.is_sweep_override())


@contextmanager
def told_how_to_go_on(job: SweepJob | None, print_line: Callable[[str], None]) -> Iterator[None]:
    """Print a combination, before the first where the sweep is kept, after Ctrl-C how to go on; nothing for None."""
    if job is not None and job.number == 0:
        print_line(f"sweep: {job.directory}")
    if job is not None:
        print_line(f"\n{job.number + 1}/{num_jobs(sys.argv[1:])}  {' '.join(job.overrides)}")
    try:
        yield
    except KeyboardInterrupt:
        if job is not None:
            print_line(f"to go on with the sweep: {job.to_go_on(sys.argv[1:])}")
        raise
