"""Runs and bundles of models that have learnt the board."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from filelock import FileLock

from recsys.export.bundle_writing import BundleSettings, write_bundle
from recsys.runs.run_directory import RunDirectory
from recsys.runs.run_manifest import RunManifest
from recsys.runs.trained_run import TrainedRun
from tests.models.board_data import prepared_board
from tests.models.test_contract import fitted
from tests.shared_directory import shared_directory


def board_run(name: str, directory: Path) -> TrainedRun:
    """A finished run of the model ``name``."""
    board, prepared = fitted(name), prepared_board()
    run = RunDirectory(directory)
    directory.mkdir(parents=True, exist_ok=True)
    run.finish({"test/ndcg@10": 0.5}, RunManifest.of(prepared, board.split, best_epoch=1, fit_seconds=0.1))
    return TrainedRun(run, board.config, run.manifest(), prepared, board.model)


def quietly(line: str) -> None:
    """Print nothing."""


@cache
def board_bundle(name: str, ranker: str | None = None, **settings: object) -> Path:
    """A bundle, written once for all tests that only read it, whichever process they run in."""
    said = "-".join(f"{key}={value}" for key, value in sorted(settings.items()))
    root = shared_directory("board-bundles") / f"{name}-{ranker}-{said}"
    output = root / name
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / "lock"):
        if not output.exists():
            run = board_run(name, root / "run")
            ranking = None if ranker is None else board_run(ranker, root / "ranker")
            write_bundle(run, ranking, output, BundleSettings(**settings), quietly)  # type: ignore[arg-type]
    return output
