"""Which variant a unit has: by hashing, so that the answer is the same everywhere and nothing has to be stored.

Two independent hashes decide. The hash of the layer and the unit gives a bucket, and the unit takes part if the
experiment owns the bucket. The hash of the experiment's salt, the unit and each variant then chooses the variant by
weighted rendezvous: with ``h_v`` uniform in (0, 1), the variant with the largest ``ln(h_v) / share_v``, which is v with
probability ``share_v``. So

- a unit that takes part goes on doing so, in the same variant, when the traffic grows;
- when the share of one variant grows at the expense of the others in proportion, nobody leaves it;
- experiments with different salts, and layers, are independent.

Source: Thaler and Ravishankar, Using Name-Based Mappings to Increase Hit Rates, 1998 (rendezvous hashing); Tang,
Agarwal, O'Brien and Meyer, Overlapping Experiment Infrastructure, KDD 2010 (layers).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from recsys.errors import ExperimentError
from recsys.experiments.experiment import NUM_BUCKETS, Experiment, Variant
from recsys.experiments.layers import check_layers

_FRACTION_BITS = 53


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit in an experiment.

    Args:
        experiment_id: of the experiment.
        variant: what the unit gets.
        overridden: whether the variant was set by hand; such units are not analysed.
    """

    experiment_id: str
    variant: Variant
    overridden: bool = False


class Assigner:
    """Assigns units in all experiments at once. It holds no state but the experiments, and threads may share it.

    Args:
        experiments: of any status; those of one layer own different buckets.

    Raises:
        ExperimentError: two experiments have one id, or share buckets.
    """

    def __init__(self, experiments: Iterable[Experiment]) -> None:
        self.experiments: tuple[Experiment, ...] = tuple(experiments)
        check_layers(self.experiments)

    def assign(self, unit_id: str) -> list[Assignment]:
        """The variants of a unit in all experiments in which it takes part, in the order of the experiments.

        Raises:
            ExperimentError: the id is not a text with something in it.
        """
        found = [assign(experiment, unit_id) for experiment in self.experiments]
        return [assignment for assignment in found if assignment is not None]


def assign(experiment: Experiment, unit_id: str) -> Assignment | None:
    """The variant of a unit; None where it does not take part, or the experiment does not run.

    Raises:
        ExperimentError: the id is not a text with something in it.
    """
    if not isinstance(unit_id, str) or not unit_id:
        raise ExperimentError(
            f"a unit is assigned by its id, a text that is not empty; {unit_id!r} came: give anonymous users the id of "
            "their session"
        )
    if experiment.status in ("paused", "stopped"):
        return None
    name = experiment.overrides.get(unit_id)
    if name is not None:
        return Assignment(experiment.id, experiment.variant(name), overridden=True)
    if experiment.status != "running" or not takes_part(experiment, unit_id):
        return None
    return Assignment(experiment.id, choose_variant(experiment.salt, unit_id, experiment.variants))


def takes_part(experiment: Experiment, unit_id: str) -> bool:
    """Whether the experiment owns the unit's bucket, whatever its status."""
    bucket = bucket_of(experiment.layer, unit_id)
    return any(start <= bucket < stop for start, stop in experiment.buckets)


def bucket_of(layer: str, unit_id: str) -> int:
    """The bucket of a unit in a layer, from 0 to 9,999."""
    return int(unit_fraction("layer", layer, unit_id) * NUM_BUCKETS)


def choose_variant(salt: str, unit_id: str, variants: Sequence[Variant]) -> Variant:
    """The variant of a unit, each with probability in proportion to its share; nobody gets one whose share is 0."""
    shared = [one for one in variants if one.share > 0]
    return max(shared, key=lambda one: math.log(unit_fraction("variant", salt, unit_id, one.name)) / one.share)


def unit_fraction(*texts: str) -> float:
    """A number in (0, 1) that is uniform over texts: BLAKE2b of the texts with their lengths.

    The lengths keep ``("ab", "c")`` apart from ``("a", "bc")``.
    """
    digest = blake2b(digest_size=8)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    drawn = int.from_bytes(digest.digest(), "big") >> (64 - _FRACTION_BITS)
    return (drawn + 0.5) / 2**_FRACTION_BITS
