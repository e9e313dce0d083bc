"""What an experiment measures, and how far a guardrail lets it go."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from recsys.errors import ExperimentError

#: ``rate``: the share of units with at least one event. ``mean``: the number of events of a unit, or the sum of their
#: values. ``ratio``: a sum over all units divided by another, such as clicks by recommendations.
MetricKind = Literal["rate", "mean", "ratio"]

#: Whether more of it is good.
Direction = Literal["higher", "lower"]

KINDS = ("rate", "mean", "ratio")
DIRECTIONS = ("higher", "lower")

#: As the denominator of a ratio: the recommendations that were shown, instead of events.
EXPOSURES = "exposures"


@dataclass(frozen=True, slots=True)
class Metric:
    """A number of each unit, computed from the events that its recommendations led to.

    Args:
        name: of the metric, such as ``click_rate``.
        event: type of the events that are counted, such as ``click``.
        kind: ``rate``, ``mean`` or ``ratio``.
        denominator: of a ratio: a type of events, or ``exposures``; None for the other kinds.
        sum_values: whether the values of the events are added up, such as prices, instead of their number.
        better: ``higher`` or ``lower``.

    Raises:
        ExperimentError: the kind, the direction or the denominator does not fit.
    """

    name: str
    event: str
    kind: MetricKind = "rate"
    denominator: str | None = None
    sum_values: bool = False
    better: Direction = "higher"

    def __post_init__(self) -> None:
        require_name("a metric", self.name)
        require_name(f"the event of metric {self.name!r}", self.event)
        require_one_of(f"the kind of metric {self.name!r}", self.kind, KINDS)
        require_one_of(f"what is better of metric {self.name!r}", self.better, DIRECTIONS)
        if (self.kind == "ratio") != (self.denominator is not None):
            raise ExperimentError(
                f"a ratio, and nothing else, has a denominator; metric {self.name!r} is a {self.kind} with the "
                f"denominator {self.denominator!r}: give both or neither"
            )
        if self.sum_values and self.kind == "rate":
            raise ExperimentError(
                f"a rate counts units, so it cannot add up values; metric {self.name!r} does: make it a mean"
            )


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A bound that a variant must not cross.

    With ``relative_tolerance`` the variant may be worse than control by that share: .02 lets a metric whose higher
    values are better fall to 98 % of control's. With ``limit`` the variant's own value is bounded, whatever control
    has: from above where lower is better, such as a share of errors, and from below where higher is better.

    Args:
        metric: name of a metric.
        better: ``higher`` or ``lower``.
        relative_tolerance: from 0 and below 1; or None.
        limit: or None; exactly one of the two is given.

    Raises:
        ExperimentError: not exactly one bound is given, or it is out of range.
    """

    metric: str
    better: Direction = "higher"
    relative_tolerance: float | None = None
    limit: float | None = None

    def __post_init__(self) -> None:
        require_name("the metric of a guardrail", self.metric)
        require_one_of(f"what is better of guardrail {self.metric!r}", self.better, DIRECTIONS)
        if (self.relative_tolerance is None) == (self.limit is None):
            raise ExperimentError(
                f"a guardrail needs either relative_tolerance or limit; that of {self.metric!r} has "
                f"{self.relative_tolerance} and {self.limit}: give one of them"
            )
        if self.relative_tolerance is not None:
            require_number(f"relative_tolerance of guardrail {self.metric!r}", self.relative_tolerance, 0.0, 1.0)
            if self.relative_tolerance == 1.0:
                raise ExperimentError(f"relative_tolerance of guardrail {self.metric!r} must be below 1; it is 1")
        if self.limit is not None:
            require_number(f"limit of guardrail {self.metric!r}", self.limit, -math.inf, math.inf)


def require_name(what: str, value: object) -> None:
    """Refuse what is not a text with something in it.

    Raises:
        ExperimentError: that is so.
    """
    if not isinstance(value, str) or not value.strip():
        raise ExperimentError(f"{what} needs a name, a text that is not empty; {value!r} came")


def require_one_of(what: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse what is not among the choices.

    Raises:
        ExperimentError: that is so.
    """
    if value not in choices:
        raise ExperimentError(f"{what} must be one of {', '.join(choices)}; {value!r} came")


def require_number(what: str, value: object, low: float, high: float) -> None:
    """Refuse what is not a finite number from ``low`` to ``high``.

    Raises:
        ExperimentError: that is so.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ExperimentError(f"{what} must be a number; {value!r} came")
    if not low <= value <= high:
        raise ExperimentError(f"{what} must be from {low:g} to {high:g}; {value!r} came")
