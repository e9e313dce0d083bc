"""An experiment as JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Experiment, Variant
from recsys.experiments.metric import Guardrail, Metric

PartT = TypeVar("PartT", Experiment, Variant, Metric, Guardrail)

#: What the lists of an experiment hold.
_LISTS: dict[str, Any] = {"variants": Variant, "metrics": Metric, "guardrails": Guardrail}

_WITH_ARTICLE = {Experiment: "an experiment", Variant: "a variant", Metric: "a metric", Guardrail: "a guardrail"}


def experiment_to_dict(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain mappings, lists, texts and numbers; :func:`experiment_from_dict` reads it."""
    written = _plain(experiment)
    for name in _LISTS:
        written[name] = [_plain(part) for part in getattr(experiment, name)]
    written["buckets"] = [list(bounds) for bounds in experiment.buckets]
    return written


def experiment_from_dict(written: Mapping[str, Any]) -> Experiment:
    """The experiment that :func:`experiment_to_dict` wrote. What is left out has its default.

    Raises:
        ExperimentError: a key is unknown or missing, or a value is wrong.
    """
    values = dict(_mapping(_WITH_ARTICLE[Experiment], written))
    for name, part in _LISTS.items():
        if name in values:
            values[name] = [_build(part, one) for one in _list(name, values[name])]
    if "buckets" in values:
        values["buckets"] = [_bucket_range(bounds) for bounds in _list("buckets", values["buckets"])]
    if "overrides" in values:
        _mapping("overrides", values["overrides"])
    return _build(Experiment, values)


def experiment_to_json(experiment: Experiment) -> str:
    """The experiment as a text in JSON."""
    return json.dumps(experiment_to_dict(experiment), ensure_ascii=False, indent=2, sort_keys=True)


def experiment_from_json(text: str) -> Experiment:
    """The experiment that :func:`experiment_to_json` wrote.

    Raises:
        ExperimentError: the text is not JSON, a key is unknown or missing, or a value is wrong.
    """
    try:
        written = json.loads(text)
    except json.JSONDecodeError as error:
        raise ExperimentError(f"an experiment must be written in JSON; the text is not: {error}") from None
    return experiment_from_dict(written)


def _plain(part: Any) -> dict[str, Any]:
    values = {one.name: getattr(part, one.name) for one in fields(part)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def _build(kind: type[PartT], written: object) -> PartT:
    what = _WITH_ARTICLE[kind]
    values = _mapping(what, written)
    names = [one.name for one in fields(kind)]
    unknown = sorted(str(key) for key in values if key not in names)
    if unknown:
        raise ExperimentError(f"keys of {what} are {', '.join(names)}; {', '.join(unknown)} came as well")
    missing = [name for name in _required(kind) if name not in values]
    if missing:
        raise ExperimentError(f"{what} needs {' and '.join(missing)}; {'they are' if missing[1:] else 'it is'} missing")
    return kind(**values)


def _required(kind: type[PartT]) -> list[str]:
    """Fields without a default."""
    return [one.name for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING]


def _mapping(what: str, written: object) -> Mapping[str, Any]:
    if not isinstance(written, Mapping):
        raise ExperimentError(f"{what} must be a mapping (an object in JSON); {type(written).__name__} came")
    return written


def _list(what: str, written: object) -> list[Any]:
    if not isinstance(written, list | tuple):
        raise ExperimentError(f"{what} must be a list; {type(written).__name__} came")
    return list(written)


def _bucket_range(written: object) -> tuple[int, int]:
    bounds = _list("a range of buckets", written)
    if len(bounds) != 2 or not all(isinstance(bound, int) and not isinstance(bound, bool) for bound in bounds):
        raise ExperimentError(f"a range of buckets must be two whole numbers; {bounds} came")
    return bounds[0], bounds[1]
