"""The model card of a bundle: what it is, what it was trained on, how good it is, and what it is not for, for people.

Mitchell et al.: Model Cards for Model Reporting (2019). All of it is derived from the bundle's own files and its runs,
so that nothing in it can be forgotten when a model changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recsys.data.prepared import PreparedDataset
from recsys.data.times import format_moment
from recsys.evaluation.model_report import model_name
from recsys.reporting.result_table import Cell, ResultTable
from recsys.runs.run_manifest import THIS_MODEL
from recsys.runs.trained_run import TrainedRun
from recsys.runtime.bundle_evaluation import MeasuredMetric, ModelEvaluation, evaluations_of
from recsys.runtime.manifest import Manifest
from recsys.runtime.personalization.knowledge import ITEMS, Reads

MODEL_CARD = "model_card.md"

#: The cut-off whose metrics a card shows, where it was measured; else the first that was.
_K = 10


def write_model_card(manifest: Manifest, run: TrainedRun, ranker: TrainedRun | None, directory: Path) -> None:
    """Write ``model_card.md``.

    Args:
        manifest: of the bundle.
        run: finds the candidates.
        ranker: orders them; None: there is none.
        directory: of the bundle, with the learning curves in it.
    """
    runs = [run] if ranker is None else [run, ranker]
    parts = [
        _head(manifest),
        _training(run.prepared, runs),
        *(_quality(evaluation, one) for evaluation, one in zip(evaluations_of(manifest, directory), runs, strict=True)),
        _reads(manifest),
        _limits(manifest),
        _repeat(manifest),
    ]
    (directory / MODEL_CARD).write_text("\n".join(parts), encoding="utf-8")


def _head(manifest: Manifest) -> str:
    retriever = f"{manifest.retriever.model} finds the items of a list"
    ranker = (
        ", in the order of its scores"
        if manifest.ranker is None
        else f", and {manifest.ranker.model} orders the best {manifest.num_candidates} of them"
    )
    return (
        f"# Model card of {manifest.name}\n\n{retriever}{ranker}. Exported {manifest.created.replace('T', ' ')} by "
        f"recsys {manifest.versions['recsys']}.\n\n"
        "**For** ranking the items of this catalogue for people, from what they did before. **Not for** decisions "
        "about people, such as credit, work or prices: a score only orders items for one user, and is no probability.\n"
    )


def _training(prepared: PreparedDataset, runs: Sequence[TrainedRun]) -> str:
    interactions = prepared.interactions
    lines = [
        f"- {len(interactions):,} interactions of {interactions.num_users:,} users with {interactions.num_items:,} "
        f"items: `{prepared.schema.name}`, content hash `{prepared.schema.content_hash[:12]}`"
    ]
    if interactions.timestamp is not None and len(interactions):
        first, last = int(interactions.timestamp.min()), int(interactions.timestamp.max())
        lines.append(f"- from {format_moment(first)} to {format_moment(last)}")
    for run in runs:
        told = run.manifest
        epochs = f"; {told.epochs_chosen}" if told.epochs_chosen else ""
        feedback = "ratings" if told.view == "explicit" else "implicit feedback"
        lines.append(
            f"- {model_name(run.model)}: trained on {told.trained_on}, as {feedback}, in {told.fit_seconds:,.1f} s"
            f"{epochs}"
        )
    return "## Training\n\n" + "\n".join(lines) + "\n"


def _quality(evaluation: ModelEvaluation, run: TrainedRun) -> str:
    """The metrics of a model beside its baseline, and of the parts of users and items."""
    measured = run.manifest.measured
    of = "" if measured == THIS_MODEL else f" What was measured: {measured}."
    cut_offs = [metric.k for metric in evaluation.metrics]
    if not cut_offs:
        return f"## Quality of the {evaluation.role}, {evaluation.model}\n\nNothing was measured.{of}\n"
    k = _K if _K in cut_offs else cut_offs[0]
    baseline = {(metric.metric, metric.k): metric for metric in evaluation.baseline}
    rows = [
        [Cell(f"{metric.metric}@{metric.k}"), _value(metric), _value(baseline.get((metric.metric, metric.k)))]
        for metric in evaluation.metrics
        if metric.k == k
    ]
    note = f"Means over the users of the test, with 95 % bootstrap intervals.{of}"
    table = ResultTable(
        f"Quality of the {evaluation.role}, {evaluation.model}", ["metric", "this model", "most popular"], rows, note
    )
    return table.markdown() + _segments(evaluation, k)


def _value(metric: MeasuredMetric | None) -> Cell:
    if metric is None:
        return Cell("")
    interval = "" if metric.low is None or metric.high is None else f"[{metric.low:.4f}, {metric.high:.4f}]"
    return Cell(f"{metric.value:.4f}", interval)


def _segments(evaluation: ModelEvaluation, k: int) -> str:
    rows = [
        [Cell(f"{one.segment.replace('_', ' ')}: {one.group}"), Cell(f"{one.value:.4f}")]
        for one in evaluation.segments
        if (one.metric, one.k) == ("recall", k)
    ]
    if not rows:
        return ""
    return "\n" + ResultTable(f"For whom, and of what: recall@{k}", ["part", "recall"], rows).markdown()


def _reads(manifest: Manifest) -> str:
    """What decides a list: the main parameters, in words."""
    sources = [manifest.retriever] if manifest.ranker is None else [manifest.retriever, manifest.ranker]
    lines = [f"- {source.model} reads {_read(source.reads)}." for source in sources]
    latest = "all" if manifest.max_history is None else f"the latest {manifest.max_history}"
    lines.append(f"- Of a history {latest} items count. Items that a user has {_seen(manifest)}.")
    if manifest.filters:
        lines.append(f"- Only items that pass these filters are in a list: `{manifest.filters}`.")
    if manifest.data.item_features:
        names = ", ".join(f"`{column.name}`" for column in manifest.data.item_features)
        lines.append(f"- Columns of items that were given: {names}.")
    return "## What decides a list\n\n" + "\n".join(lines) + "\n"


def _seen(manifest: Manifest) -> str:
    if isinstance(manifest.exclude_seen, Mapping):
        return f"come again after {manifest.exclude_seen['after_days']:g} days"
    return "are left out" if manifest.exclude_seen else "may come again"


def _read(reads: Reads) -> str:
    if reads.nothing:
        return "nothing of a user: everyone has the same list"
    history = "the items of a user's history" if reads.history == ITEMS else "the ratings of a user's history"
    parts = [history] if reads.history else []
    if reads.user_ids:
        parts.append("who the user is, of the users of the training")
    if reads.columns:
        parts.append(f"the columns {', '.join(f'`{column}`' for column in reads.columns)} of a user")
    return " and ".join(parts)


def _limits(manifest: Manifest) -> str:
    popular = "of all time" if manifest.popular_days is None else f"in the latest {manifest.popular_days:g} days"
    known = (
        "A user who was not in training is scored from a history"
        if manifest.folds_in
        else ("A user who was not in training has no list of their own")
    )
    return (
        "## Limits\n\n"
        f"- {known}; of whom nothing is known gets what is popular {popular}, marked `personalized: false`.\n"
        "- It repeats what people did, with the preferences that the site of that time gave to what it showed. "
        "Popular items are found more easily than rare ones: see the parts above where there are any, and "
        "`coverage` and `gini`.\n"
        "- Quality was measured on the past. What people do with these lists is known after an experiment.\n"
        "- Users of the training are in this bundle: with histories, and in the weights of items. Whoever is erased "
        "has to be gone from it by the date of their receipt: retrain, and delete this directory.\n"
    )


def _repeat(manifest: Manifest) -> str:
    differences = ", ".join(
        f"{name.replace('_', ' ')} {told['max_difference']:.1e}"
        for name, told in manifest.parity.items()
        if "max_difference" in told
    )
    return (
        "## Made by\n\n"
        "Largest differences between ONNX and PyTorch at export, in standard deviations of a query's scores: "
        f"{differences}. The settings of the trainings are `training.yaml` and, where there is a ranker, "
        "`ranker_training.yaml`, those of the export `export.yaml`.\n"
    )
