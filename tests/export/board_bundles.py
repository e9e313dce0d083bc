"""Runs and bundles of models that have learnt the board."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from recsys.export.bundle_writing import BundleSettings, write_bundle
from recsys.runs.run_directory import RunDirectory, RunManifest
from recsys.runs.trained_run import TrainedRun
from tests.models.board_data import prepared_board
from tests.models.test_contract import fitted


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
    """A bundle, written once for all tests that only read it."""
    root = Path(tempfile.mkdtemp(prefix="bundles-"))
    run = board_run(name, root / "run")
    ranking = None if ranker is None else board_run(ranker, root / "ranker")
    output = root / name
    write_bundle(run, ranking, output, BundleSettings(**settings), quietly)  # type: ignore[arg-type]
    return output
