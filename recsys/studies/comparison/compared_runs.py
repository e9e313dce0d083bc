"""Opens finished runs that can be compared: of the same data, the same split and the same users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig, OmegaConf

from recsys.cli.commands import typed_command
from recsys.data.columns import USER_ID
from recsys.errors import RunError
from recsys.evaluation.known_items import ONLY_NEW
from recsys.runs.run_directory import RunDirectory
from recsys.runs.run_manifest import CARRIED_PREFIX, MEASURED_HERE, RunManifest

#: Settings that are not part of a label: they do not affect the model, or are the same for all compared runs.
_LEFT_OUT = (
    *("name", "resume", "sweep", "chosen_by", "settings_of", "show_users", "trusted_modules"),
    *("paths", "tracking", "evaluation", "baseline", "data", "preparation", "split"),
)

#: Longest list of settings in a label, in characters.
_MAX_SAID = 24


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRun:
    """One of the compared runs.

    Args:
        label: name in tables and charts, unique among the compared runs.
        path: its run directory.
        manifest: its ``run.json``.
        metrics: its ``metrics.json``.
        per_user: its metrics of each user; the users have the same order in all runs.
    """

    label: str
    path: Path
    manifest: RunManifest
    metrics: dict[str, float]
    per_user: pd.DataFrame


def open_runs(paths: Sequence[Path]) -> list[ComparedRun]:
    """Open at least two finished runs and check that they have the same data, split and users.

    Args:
        paths: run directories; the others are checked against the first.

    Raises:
        RunError: there are fewer than two, one is given twice, one is missing, unfinished, damaged or without per-user
            metrics, or they differ in data, split, users or what they were to find.
    """
    if len({path.resolve() for path in paths}) < 2 or len({path.resolve() for path in paths}) < len(paths):
        raise RunError(
            f"A comparison needs at least two different runs, but got {len(paths)}: {', '.join(map(str, paths))}. "
            "Give the directories after 'run:' of two trainings."
        )
    directories = [RunDirectory.open(path) for path in paths]
    manifests = [directory.manifest() for directory in directories]
    for path, manifest in zip(paths, manifests, strict=True):
        _check_measured(path, manifest)
    for path, manifest in zip(paths[1:], manifests[1:], strict=True):
        _check_same(paths[0], manifests[0], path, manifest)
    settings = [directory.settings() for directory in directories]
    for path, config in zip(paths[1:], settings[1:], strict=True):
        _check_same_targets(paths[0], settings[0], path, config)
    tables = [directory.per_user().to_pandas() for directory in directories]
    for path, table in zip(paths[1:], tables[1:], strict=True):
        if not table[USER_ID].equals(tables[0][USER_ID]):
            raise RunError(
                f"The runs must have been tested on the same users, but {paths[0]} has values for {len(tables[0])} and "
                f"{path} for {len(table)}, of whom {table[USER_ID].isin(tables[0][USER_ID]).sum()} are the same. Write "
                f"them again with one version: {typed_command('evaluate')} run={path} save_per_user=true"
            )
    labels = _labels(settings, manifests)
    return [
        ComparedRun(label, directory.path, manifest, _of_test(directory.metrics()), table)
        for label, directory, manifest, table in zip(labels, directories, manifests, tables, strict=True)
    ]


def _of_test(metrics: dict[str, float]) -> dict[str, float]:
    """The metrics by their usual names; those of a fit before the last one have a word before them."""
    return {name.removeprefix(CARRIED_PREFIX): value for name, value in metrics.items()}


def _check_measured(path: Path, manifest: RunManifest) -> None:
    """Refuse a run that measured nothing itself."""
    if manifest.holds_nothing_out and manifest.measured != MEASURED_HERE:
        raise RunError(
            f"Runs that were measured are required, but {path} was trained on all interactions (measured "
            f"{manifest.measured}). Compare the run that was measured, or both on newer interactions: newer=FILE."
        )


def _check_same(first_path: Path, first: RunManifest, path: Path, manifest: RunManifest) -> None:
    if manifest.data_hash != first.data_hash:
        raise RunError(
            f"The runs must be of the same data, but {first_path} is of {first.data_name} with content hash "
            f"{first.data_hash[:12]} and {path} of {manifest.data_name} with {manifest.data_hash[:12]}. Train with the "
            "same data and the same preparation."
        )
    if manifest.split_hash != first.split_hash:
        raise RunError(
            f"The runs must have the same split, but that of {first_path} has content hash {first.split_hash[:12]} and "
            f"that of {path} {manifest.split_hash[:12]}: numbers of other test rows, or of models that were given more "
            "to learn from, cannot be compared. Train with the same split, seed and refit."
        )


def _check_same_targets(first_path: Path, first: DictConfig, path: Path, config: DictConfig) -> None:
    """Refuse runs of which one was to find known pairs again; runs of earlier versions have no such setting."""
    ours, theirs = (OmegaConf.select(one, "evaluation.repeats") or ONLY_NEW.repeats for one in (first, config))
    if ours != theirs:
        raise RunError(
            f"The runs must have been to find the same items, but {first_path} has evaluation.repeats={ours} and "
            f"{path} evaluation.repeats={theirs}: one was tested on pairs that were known before. Train with the same "
            "setting."
        )


def _labels(configs: Sequence[DictConfig], manifests: Sequence[RunManifest]) -> list[str]:
    """Names of the runs without the data set; equal names get the settings that differ, or a number."""
    names = [
        str(config.name).removesuffix(f"_{manifest.data_name}")
        for config, manifest in zip(configs, manifests, strict=True)
    ]
    settings = [_flat(OmegaConf.to_container(config)) for config in configs]
    labels = []
    for name, own in zip(names, settings, strict=True):
        group = [other for other_name, other in zip(names, settings, strict=True) if other_name == name]
        differing = [key for key in own if any(other.get(key) != own[key] for other in group)]
        # A seed is copied to several places, so the last part of a key is enough, once.
        said = " ".join(dict.fromkeys(f"{key.rpartition('.')[2]}={own[key]}" for key in differing))
        labels.append(f"{name} {said}" if said and len(said) <= _MAX_SAID else name)
    repeated = Counter(labels)
    counts: Counter[str] = Counter()
    for place, label in enumerate(labels):
        if repeated[label] > 1:
            counts[label] += 1
            labels[place] = f"{label} #{counts[label]}"
    return labels


def _flat(config: Any) -> dict[str, Any]:
    """The settings that affect the model, by flat name."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if name not in _LEFT_OUT and isinstance(value, dict):
            flat |= {f"{name}.{key}": inner for key, inner in _flat(value).items()}
        elif name not in _LEFT_OUT:
            flat[name] = value
    return flat
