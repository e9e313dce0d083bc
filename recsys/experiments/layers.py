"""Which buckets of a layer an experiment owns: experiments of one layer exclude each other.

A unit falls into one of 10,000 buckets of a layer, the same for all experiments of the layer. When the traffic of an
experiment grows it keeps its buckets and gets free ones; when it shrinks it gives back the buckets that it got last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from recsys.errors import ExperimentError
from recsys.experiments.experiment import NUM_BUCKETS, BucketRange, Experiment
from recsys.experiments.metric import require_number


def check_layers(experiments: Iterable[Experiment]) -> None:
    """Refuse experiments of one layer that share buckets, and ids that come twice. Stopped ones own nothing.

    Raises:
        ExperimentError: that is so.
    """
    owners: dict[str, list[str | None]] = {}
    ids: set[str] = set()
    for experiment in experiments:
        if experiment.id in ids:
            raise ExperimentError(f"each experiment needs an id of its own; {experiment.id!r} comes twice")
        ids.add(experiment.id)
        if experiment.status == "stopped":
            continue
        layer = owners.setdefault(experiment.layer, [None] * NUM_BUCKETS)
        for bucket in _buckets(experiment.buckets):
            if layer[bucket] is not None:
                raise ExperimentError(
                    f"experiments of a layer must not share buckets; {layer[bucket]!r} and {experiment.id!r} both have "
                    f"bucket {bucket} of layer {experiment.layer!r}: give one of them others, or another layer"
                )
            layer[bucket] = experiment.id


def with_traffic(experiment: Experiment, share: float, others: Iterable[Experiment]) -> Experiment:
    """The experiment with another share of its layer's units; whoever takes part goes on doing so if the share grows.

    Args:
        experiment: the one.
        share: of the layer's units, from .0001 to 1; rounded to whole buckets.
        others: experiments that may own buckets of the same layer; itself and stopped ones do not count.

    Raises:
        ExperimentError: the share is out of range, or the layer has not so many free buckets.
    """
    require_number(f"the traffic of experiment {experiment.id!r}", share, 0.0, 1.0)
    wanted = round(share * NUM_BUCKETS)
    if wanted == 0:
        raise ExperimentError(f"the traffic of experiment {experiment.id!r} must be at least .0001; it is {share:g}")
    owned = _buckets(experiment.buckets)
    if wanted > len(owned):
        owned += _free_buckets(experiment, others, wanted - len(owned))
    return replace(experiment, buckets=_ranges(owned[:wanted]))


def free_share(layer: str, experiments: Iterable[Experiment]) -> float:
    """Share of the layer's units that no experiment owns."""
    owned = {bucket for one in experiments if _owns(one, layer) for bucket in _buckets(one.buckets)}
    return 1.0 - len(owned) / NUM_BUCKETS


def _free_buckets(experiment: Experiment, others: Iterable[Experiment], number: int) -> list[int]:
    taken = set(_buckets(experiment.buckets))
    for other in others:
        if other.id != experiment.id and _owns(other, experiment.layer):
            taken.update(_buckets(other.buckets))
    # Those after its own come first, so that its ranges stay few.
    start = experiment.buckets[-1][1] if experiment.buckets else 0
    free = [bucket for bucket in [*range(start, NUM_BUCKETS), *range(start)] if bucket not in taken]
    if len(free) < number:
        raise ExperimentError(
            f"experiment {experiment.id!r} needs {number} more buckets of layer {experiment.layer!r}, of which "
            f"{len(free)} are free: stop an experiment of the layer, take less traffic, or use another layer"
        )
    return free[:number]


def _owns(experiment: Experiment, layer: str) -> bool:
    return experiment.layer == layer and experiment.status != "stopped"


def _buckets(ranges: Iterable[BucketRange]) -> list[int]:
    return [bucket for start, stop in ranges for bucket in range(start, stop)]


def _ranges(buckets: Iterable[int]) -> tuple[BucketRange, ...]:
    return tuple((bucket, bucket + 1) for bucket in buckets)
