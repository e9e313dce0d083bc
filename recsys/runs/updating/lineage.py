"""The runs that an updated run came from, and whether an update was made before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsys.errors import RunError
from recsys.runs.run_directory import MANIFEST, RunDirectory
from recsys.runs.run_manifest import RunManifest
from recsys.runs.updating.update_record import UpdateRecord


@dataclass(frozen=True, slots=True)
class Ancestor:
    """One run of a lineage.

    Args:
        path: its directory.
        manifest: its ``run.json``.
        metrics: its ``metrics.json``.
        record: of its update; None for a run that was trained anew.
    """

    path: Path
    manifest: RunManifest
    metrics: dict[str, float]
    record: UpdateRecord | None


def lineage(path: Path) -> list[Ancestor]:
    """The run and all that it came from, the oldest first; as far back as there are directories.

    A parent that is no longer where it was is looked for beside its child, in case both were moved.

    Raises:
        RunError: the run itself cannot be read.
    """
    found = [_ancestor(path)]
    while (record := found[-1].record) is not None:
        named = Path(record.parent)
        beside = found[-1].path.parent / named.name
        there = next((one for one in (named, beside) if (one / MANIFEST).is_file()), None)
        if there is None or any(one.path.samefile(there) for one in found):
            break
        try:
            found.append(_ancestor(there))
        except RunError:
            break
    return found[::-1]


def update_made_before(runs: Path, parent: Path, data_hash: str) -> Path | None:
    """A finished run that is an update of ``parent`` on the same data; the latest, or None where there is none.

    Args:
        runs: the directory of the runs.
        parent: absolute path of the run that is updated.
        data_hash: content hash of the data that it is updated with.
    """
    for path in sorted(runs.glob(f"*/{MANIFEST}"), reverse=True):
        try:
            manifest = RunDirectory(path.parent).manifest()
        except RunError:
            continue
        if manifest.data_hash == data_hash and manifest.parent == str(parent):
            return path.parent
    return None


def _ancestor(path: Path) -> Ancestor:
    run = RunDirectory.open(path)
    manifest = run.manifest()
    record = None if manifest.update is None else UpdateRecord.parse(manifest.update)
    return Ancestor(path, manifest, run.metrics(), record)
