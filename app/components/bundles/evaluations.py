"""What bundles were measured at, as tables: metrics with intervals, segments, learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

Evaluation = Mapping[str, Any]

#: Metrics of the catalogue as a whole: higher is not better as such.
OF_CATALOGUE = ("coverage", "gini", "novelty", "diversity")
#: The metric that is shown first, where there is one.
_USUAL = "ndcg@10"


def of_same_data(evaluations: Sequence[Evaluation], data_hash: str) -> list[Evaluation]:
    """Those that were measured on the same data; others cannot be compared."""
    return [one for one in evaluations if one["data_hash"] == data_hash]


def model_label(evaluation: Evaluation, model: Mapping[str, Any]) -> str:
    """A model of a bundle, for people."""
    role = " (ranker)" if model["role"] == "ranker" else ""
    return f"{evaluation['bundle']}: {model['model']}{role}"


def metric_choices(evaluations: Sequence[Evaluation]) -> list[str]:
    """Names of accuracy metrics with their cut-offs, ``ndcg@10`` first where it is there."""
    names = {
        f"{one['metric']}@{one['k']}": None
        for evaluation in evaluations
        for model in evaluation["models"]
        for one in model["metrics"]
        if one["metric"] not in OF_CATALOGUE
    }
    return sorted(names, key=lambda name: (name != _USUAL, name.partition("@")[0], int(name.partition("@")[2])))


def measured_table(evaluations: Sequence[Evaluation], name: str) -> pd.DataFrame:
    """A metric of each model, with its interval and that of what is popular."""
    rows = []
    for evaluation in evaluations:
        for model in evaluation["models"]:
            found = _find(model["metrics"], name)
            if found is not None:
                baseline = _find(model["baseline"], name)
                value = None if baseline is None else baseline["value"]
                rows.append([model_label(evaluation, model), found["value"], found["low"], found["high"], value])
    return pd.DataFrame(rows, columns=["Model", "Value", "Low", "High", "Popular"])


def trade_off_table(evaluations: Sequence[Evaluation], name: str) -> pd.DataFrame:
    """A metric of each model beside the share of the catalogue that its lists cover, at the same cut-off."""
    k = name.partition("@")[2]
    rows = []
    for evaluation in evaluations:
        for model in evaluation["models"]:
            accuracy, coverage = _find(model["metrics"], name), _find(model["metrics"], f"coverage@{k}")
            if accuracy is not None and coverage is not None:
                rows.append([model_label(evaluation, model), coverage["value"], accuracy["value"]])
    return pd.DataFrame(rows, columns=["Model", "Coverage", "Accuracy"])


def segment_choices(evaluations: Sequence[Evaluation]) -> list[tuple[str, str]]:
    """What users or items are divided by, and the metrics of the parts."""
    return list(
        dict.fromkeys(
            (one["segment"], f"{one['metric']}@{one['k']}")
            for evaluation in evaluations
            for model in evaluation["models"]
            for one in model["segments"]
        )
    )


def segments_table(evaluations: Sequence[Evaluation], segment: str, name: str) -> pd.DataFrame:
    """A metric of each part, by model."""
    rows = [
        [model_label(evaluation, model), one["group"], one["value"]]
        for evaluation in evaluations
        for model in evaluation["models"]
        for one in model["segments"]
        if one["segment"] == segment and f"{one['metric']}@{one['k']}" == name
    ]
    return pd.DataFrame(rows, columns=["Model", "Part", "Value"])


def curve_choices(evaluations: Sequence[Evaluation]) -> list[str]:
    """Names of what was noted after each epoch."""
    names = {
        name: None
        for evaluation in evaluations
        for model in evaluation["models"]
        for epoch in model["learning_curve"]
        for name in epoch
        if name not in ("epoch", "step")
    }
    return sorted(names, key=lambda name: (not name.startswith("valid/ndcg"), not name.startswith("valid"), name))


def curves_table(evaluations: Sequence[Evaluation], name: str) -> pd.DataFrame:
    """A number of each epoch, by model."""
    rows = [
        [model_label(evaluation, model), int(epoch.get("epoch", place)), epoch[name]]
        for evaluation in evaluations
        for model in evaluation["models"]
        for place, epoch in enumerate(model["learning_curve"], start=1)
        if name in epoch
    ]
    return pd.DataFrame(rows, columns=["Model", "Epoch", "Value"])


def _find(metrics: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    return next((one for one in metrics if f"{one['metric']}@{one['k']}" == name), None)
