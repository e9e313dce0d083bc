"""What the worker of a leaderboard does: looks at the data and the models, measures trials, trains."""

from __future__ import annotations

import functools
import os
import runpy
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.utils import get_class
from omegaconf import DictConfig

from recsys.cli.commands import script_path
from recsys.cli.configuration import compose_config
from recsys.cli.data_warnings import told_data_warnings
from recsys.cli.process.memory import available_memory
from recsys.errors import DataWarning, RecsysError, RunError
from recsys.models.interface.protocols import Fittable, PredictsRatings, RanksCandidates
from recsys.runs.assembly import build_model, build_view
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.starting import resolved
from recsys.studies.tuning.identity import study_identity
from recsys.studies.tuning.objective import Objective, TrialResult
from recsys.studies.tuning.search_space import SearchSpace

#: A model that every data set fits, by which data and split are built.
_ANY_MODEL = "popularity"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model before it is tried.

    Args:
        name: its choice in the group ``model``.
        unfit: why it does not fit the data; empty if it does.
        order: cheaper kinds of models first: 0 fitted at once, 1 by gradient steps, 2 on top of other models.
        space: what is searched; nothing where ``configs/search`` has no file for it.
        start: values of the first trial.
        identity: of its study (:func:`recsys.studies.tuning.identity.study_identity`).
    """

    name: str
    unfit: str = ""
    order: int = 0
    space: SearchSpace = field(default_factory=lambda: SearchSpace({}))
    start: dict[str, Any] = field(default_factory=dict)
    identity: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What is known of the data.

    Args:
        name: of the data set.
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary.
        num_train: training interactions.
        num_valid: held-out interactions that settings are chosen on.
        overrides: what all trainings share: those that were given, and the view that suits all models.
        models: the models.
        load_seconds: what loading and splitting the data takes, once they are prepared.
    """

    name: str
    num_users: int
    num_items: int
    num_train: int
    num_valid: int
    overrides: tuple[str, ...]
    models: tuple[ModelFacts, ...]
    load_seconds: float = 0.0


def look(shared: tuple[str, ...], models: Sequence[str], metric: str) -> DataFacts:
    """Prepare and split the data, and ask each model whether it fits them.

    Where the data have ratings and no view was chosen, all models share the explicit one, so that models of ratings
    are tested on the same interactions as the others.

    Args:
        shared: overrides of all trainings, the data among them.
        models: choices of the group ``model``.
        metric: what settings are chosen by.

    Raises:
        RecsysError: the data or the split are refused.
    """
    plain = _config(shared, _ANY_MODEL)
    with told_data_warnings(bool(plain.get("strict", False))):
        prepared = _objective(shared, metric, 0).prepared
    rates = {name: isinstance_of(PredictsRatings, name) for name in models}
    if plain.get("view") is None and prepared.interactions.rating is not None and any(rates.values()):
        shared = (*shared, "view=explicit")
    _objective.cache_clear()
    began = time.perf_counter()
    objective = _objective(shared, metric, 0)
    load_seconds = time.perf_counter() - began
    schema = objective.prepared.schema
    return DataFacts(
        name=schema.name,
        num_users=schema.num_users,
        num_items=schema.num_items,
        num_train=len(objective.split.train),
        num_valid=len(objective.split.valid),
        overrides=shared,
        models=tuple(_facts(shared, name, objective, metric) for name in models),
        load_seconds=load_seconds,
    )


def run_trial(
    shared: tuple[str, ...],
    model: str,
    overrides: dict[str, str],
    metric: str,
    limit_seconds: float,
    bootstrap_samples: int = 0,
) -> TrialResult:
    """Measure one trial; see :class:`recsys.studies.tuning.objective.Objective`."""
    drawn = [f"{name}={value}" for name, value in overrides.items()]
    return _objective(shared, metric, bootstrap_samples)(_config(shared, model, drawn), limit_seconds)


def load(shared: tuple[str, ...], metric: str, bootstrap_samples: int = 0) -> None:
    """Load the data now, so that the first trial does not take their time; what is odd about them was told before."""
    warnings.simplefilter("ignore", DataWarning)
    _objective(shared, metric, bootstrap_samples)


def train(arguments: Sequence[str], log: Path) -> tuple[Path, float]:
    """Run ``scripts/train.py`` in this process, which does nothing else afterwards.

    Args:
        arguments: of the command line.
        log: what it prints goes there.

    Returns:
        The run directory, and the most memory that this process has held, in GB.

    Raises:
        RunError: the training failed; the message is its own.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(output, stream.fileno())
    GlobalHydra.instance().clear()
    sys.argv = [str(script_path("train")), *arguments]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            sys.stderr.flush()
            said = [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("error: ")]
            raise RunError(said[-1].removeprefix("error: ") if said else f"It ended with status {end.code}.") from None
    sys.stdout.flush()
    last = (log.read_text(encoding="utf-8").strip().splitlines() or [""])[-1]
    if not last.startswith("run: "):
        raise RunError(f"It named no run directory. What it printed is in {log}.")
    return Path(last.removeprefix("run: ")), peak_memory()


def peak_memory() -> float:
    """The most memory that this process has held, in GB; NaN where the system does not tell."""
    try:
        import resource
    except ImportError:  # not on Windows
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def isinstance_of(protocol: type, model: str) -> bool:
    """Whether the models of a configuration are of ``protocol``, by the methods of their class.

    Args:
        protocol: of :mod:`recsys.models.interface.protocols`.
        model: choice of the group ``model``.
    """
    class_ = get_class(compose_config("train", [f"model={model}", "name=kind"]).model["_target_"])
    return issubclass(class_, protocol)


@functools.lru_cache(maxsize=2)
def _objective(shared: tuple[str, ...], metric: str, bootstrap_samples: int) -> Objective:
    return Objective(_config(shared, _ANY_MODEL), metric, bootstrap_samples=bootstrap_samples)


def _config(shared: Sequence[str], model: str, more: Sequence[str] = ()) -> DictConfig:
    return resolved(compose_config("train", [*shared, f"model={model}", f"name={model}", *more]))


def _facts(shared: tuple[str, ...], name: str, objective: Objective, metric: str) -> ModelFacts:
    """Ask one model."""
    try:
        config = _config(shared, name)
        _check_memory(config, objective)
        model = build_model(config.model, config.seed, objective.prepared)
        build_view(config, objective.prepared, model)
        ModelFitter(config, objective.view, objective.split).check(model)
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, RecsysError):
            cause = cause.__cause__
        if cause is None:
            raise
        return ModelFacts(name, unfit=str(cause))
    composed = compose_config("tune", [*shared, f"model={name}", f"name={name}"], return_hydra_config=True)
    space = SearchSpace.of(composed.search, name) if composed.get("search") else SearchSpace({})
    space = space.meaningful(objective.view.interactions)
    start = space.start(config, composed.hydra.runtime.choices)
    hashes = (objective.prepared.schema.content_hash, objective.split.content_hash())
    identity = study_identity(*hashes, metric, config)
    order = 2 if isinstance(model, RanksCandidates) else 0 if isinstance(model, Fittable) else 1
    return ModelFacts(name, "", order, space, start, identity)


def _check_memory(config: DictConfig, objective: Objective) -> None:
    """Require the memory that a model says its fit needs.

    Raises:
        RunError: there is less.
    """
    needed = getattr(get_class(config.model["_target_"]), "fit_bytes", None)
    sizes = objective.prepared.schema
    free = available_memory()
    if needed is not None and free is not None and (wanted := needed(sizes.num_users, sizes.num_items)) > free:
        raise RunError(
            f"Its fit holds {wanted / 1e9:.1f} GB for {sizes.num_items:,} items, but {free / 1e9:.1f} GB of memory are "
            "free."
        )
