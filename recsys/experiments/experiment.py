"""An experiment: its variants, who takes part, and what is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

from recsys.errors import ExperimentError
from recsys.experiments.metric import Guardrail, Metric, require_name, require_number, require_one_of
from recsys.experiments.variant_options import check_options

#: Units of a layer are spread over so many buckets: .01 % of the traffic each.
NUM_BUCKETS = 10_000

#: What is assigned to a variant.
UnitKind = Literal["user", "session"]
UNITS = ("user", "session")

#: ``draft``: only overrides get variants. ``running``: everyone who takes part does. ``paused``, ``stopped``: nobody.
ExperimentStatus = Literal["draft", "running", "paused", "stopped"]
STATUSES = ("draft", "running", "paused", "stopped")

#: From each status, those that may follow.
NEXT_STATUSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"draft": ("running", "stopped"), "running": ("paused", "stopped"), "paused": ("running", "stopped"), "stopped": ()}
)

#: Half-open range of buckets.
BucketRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the ways in which an experiment treats its units.

    Args:
        name: of the variant, such as ``control``.
        share: of the units that take part; 0 for a variant that nobody gets any more.
        bundle: name or directory of the bundle that answers; None: the one that is live.
        list_options: what is different in the requests, such as ``{"diversity": "mmr"}``, see
            :data:`recsys.experiments.variant_options.OPTIONS`.

    Raises:
        ExperimentError: a value is of another type or range.
    """

    name: str
    share: float
    bundle: str | None = None
    list_options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_name("a variant", self.name)
        require_number(f"the share of variant {self.name!r}", self.share, 0.0, 1.0)
        if self.bundle is not None:
            require_name(f"the bundle of variant {self.name!r}", self.bundle)
        if not isinstance(self.list_options, Mapping) or not all(isinstance(key, str) for key in self.list_options):
            raise ExperimentError(
                f"list_options of variant {self.name!r} must be a mapping by the names of options; "
                f"{self.list_options!r} came"
            )
        check_options(self.name, self.list_options)
        object.__setattr__(self, "list_options", MappingProxyType(dict(self.list_options)))


@dataclass(frozen=True, slots=True)
class Experiment:
    """Variants, who takes part, and what is measured. Values are checked when it is made, and do not change.

    Args:
        id: of the experiment.
        salt: goes into the hash that chooses the variant. Another salt assigns everyone anew; it must not be changed
            while the experiment runs.
        variants: at least two, whose shares add up to 1; the first is control.
        layer: experiments of one layer exclude each other; those of different layers are independent.
        buckets: ranges of the layer's buckets, from 0 to 10,000, whose units take part.
        status: ``draft``, ``running``, ``paused`` or ``stopped``.
        unit: ``user`` or ``session``.
        metrics: what is measured; the first is what the experiment is decided by.
        guardrails: what must not get worse.
        overrides: variant by unit id. They have their variant whether they take part or not, and are not analysed.
        exposure_window_hours: recommendations count that a unit got so many hours after its first one.
        attribution_window_hours: events count that came so many hours after their recommendation.

    Raises:
        ExperimentError: a value is wrong; the text says which.
    """

    id: str
    salt: str
    variants: Sequence[Variant]
    layer: str = "default"
    buckets: Sequence[BucketRange] = ((0, NUM_BUCKETS),)
    status: ExperimentStatus = "draft"
    unit: UnitKind = "user"
    metrics: Sequence[Metric] = ()
    guardrails: Sequence[Guardrail] = ()
    overrides: Mapping[str, str] = field(default_factory=dict, hash=False)
    exposure_window_hours: float = 168.0
    attribution_window_hours: float = 24.0

    def __post_init__(self) -> None:
        for name in ("id", "salt", "layer"):
            require_name(f"the {name} of experiment {self.id!r}", getattr(self, name))
        require_one_of(f"the status of experiment {self.id!r}", self.status, STATUSES)
        require_one_of(f"the unit of experiment {self.id!r}", self.unit, UNITS)
        for name in ("exposure_window_hours", "attribution_window_hours"):
            require_number(f"{name} of experiment {self.id!r}", getattr(self, name), 0.0, 24.0 * 366)
        for name in ("variants", "metrics", "guardrails"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "buckets", joined_ranges(self.buckets))
        object.__setattr__(self, "overrides", MappingProxyType(dict(self.overrides)))
        self._check_variants()
        self._check_names()

    @property
    def traffic_share(self) -> float:
        """Share of the layer's units that take part."""
        return sum(stop - start for start, stop in self.buckets) / NUM_BUCKETS

    @property
    def control(self) -> Variant:
        """The variant that others are compared with."""
        return self.variants[0]

    @property
    def shares(self) -> dict[str, float]:
        """Share of each variant among those who take part, by its name."""
        return {variant.name: variant.share for variant in self.variants}

    def variant(self, name: str) -> Variant:
        """The variant of this name.

        Raises:
            ExperimentError: there is none.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise ExperimentError(
            f"experiment {self.id!r} has the variants {', '.join(self.shares)}; {name!r} is none of them"
        )

    def with_status(self, status: ExperimentStatus) -> Experiment:
        """The experiment in another status.

        Raises:
            ExperimentError: the status cannot follow: what was stopped stays so, for instance.
        """
        require_one_of(f"the status of experiment {self.id!r}", status, STATUSES)
        if status != self.status and status not in NEXT_STATUSES[self.status]:
            following = ", ".join(NEXT_STATUSES[self.status]) or "nothing: make a new experiment"
            raise ExperimentError(
                f"experiment {self.id!r} is {self.status} and cannot be {status}; what can follow is {following}"
            )
        return replace(self, status=status)

    def _check_variants(self) -> None:
        if len(self.variants) < 2:
            raise ExperimentError(
                f"experiment {self.id!r} needs at least two variants, control first; it has {len(self.variants)}"
            )
        total = sum(variant.share for variant in self.variants)
        if abs(total - 1.0) > 1e-9:
            raise ExperimentError(
                f"shares of the variants of experiment {self.id!r} must add up to 1; they add up to {total:g}: "
                "let fewer units take part (buckets) instead of leaving a share out"
            )
        for unit, name in self.overrides.items():
            require_name(f"a unit of the overrides of experiment {self.id!r}", unit)
            self.variant(name)

    def _check_names(self) -> None:
        groups = {
            "variants": [variant.name for variant in self.variants],
            "metrics": [metric.name for metric in self.metrics],
        }
        for what, names in groups.items():
            twice = [name for name, count in Counter(names).items() if count > 1]
            if twice:
                raise ExperimentError(f"{what} of experiment {self.id!r} must have different names; {twice} come twice")
        better = {metric.name: metric.better for metric in self.metrics}
        for guardrail in self.guardrails:
            if guardrail.metric not in better:
                raise ExperimentError(
                    f"a guardrail of experiment {self.id!r} is about {guardrail.metric!r}, which is none of its "
                    f"metrics ({', '.join(better) or 'there are none'}): add the metric"
                )
            if guardrail.better != better[guardrail.metric]:
                raise ExperimentError(
                    f"of {guardrail.metric!r} the metric says that {better[guardrail.metric]} is better, and the "
                    f"guardrail of experiment {self.id!r} that {guardrail.better} is: make them agree"
                )


def joined_ranges(ranges: Sequence[BucketRange]) -> tuple[BucketRange, ...]:
    """Ranges of buckets in their order, which is that in which the experiment got them; those that go on are joined.

    Raises:
        ExperimentError: a range is empty or outside the buckets, or two overlap.
    """
    joined: list[BucketRange] = []
    for start, stop in ranges:
        if not 0 <= start < stop <= NUM_BUCKETS:
            raise ExperimentError(
                f"a range of buckets goes from a start to a larger stop, from 0 to {NUM_BUCKETS}; "
                f"[{start}, {stop}) came"
            )
        if joined and start == joined[-1][1]:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    for before, after in pairwise(sorted(joined)):
        if after[0] < before[1]:
            raise ExperimentError(f"ranges of buckets must not overlap; {before} and {after} do")
    return tuple(joined)
