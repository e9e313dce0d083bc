"""Policies that are judged by the log of another: what each would have shown at the places of a logged list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from recsys.errors import ExperimentError
from recsys.experiments.experiment import Variant
from recsys.experiments.exploration import ExplorationPolicy
from recsys.experiments.off_policy.reward_model import ItemDistribution
from recsys.experiments.variant_options import exploration_of
from recsys_serving.recommending.counterfactual_lists import PastQuery
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.store.events.records import Exposure

#: What a policy would show at each of some places of a list; None: nothing can be said of this list.
Places = Sequence[ItemDistribution]

#: :meth:`recsys_serving.recommending.counterfactual_lists.CounterfactualLists.make`.
MakeLists = Callable[..., list[list[str]]]


class TargetPolicy(Protocol):
    """A policy that is judged.

    Attributes:
        tells_all: whether its distributions add up to 1, which a model of the reward needs.
        needs_plain: whether it can judge only lists whose query had nothing but a user.
    """

    @property
    def tells_all(self) -> bool: ...  # noqa: D102
    @property
    def needs_plain(self) -> bool: ...  # noqa: D102

    def distributions(self, exposures: Sequence[Exposure], places: Sequence[int], deadline: Deadline) -> list[Places]:
        """What it would show at these places of each list; fewer lists where the time did not suffice."""
        ...


@dataclass(frozen=True, slots=True)
class OtherEpsilon:
    """The ranker that was logged, exploring more, less, or not at all (0).

    Args:
        epsilon: probability of each slot to show an item of the same pool.
    """

    epsilon: float
    needs_plain: bool = field(default=False, init=False)

    @property
    def tells_all(self) -> bool:
        """The pool is not in the log."""
        return self.epsilon == 0.0

    def distributions(self, exposures: Sequence[Exposure], places: Sequence[int], deadline: Deadline) -> list[Places]:
        """See :class:`TargetPolicy`."""
        return [[self._distribution(one, place) for place in places] for one in exposures]

    def _distribution(self, exposure: Exposure, place: int) -> ItemDistribution:
        shown, ranked = exposure.item_ids[place], exposure.context["ranked"].get(str(place))
        if ranked is None:
            return {shown: 1.0}
        if shown == ranked:
            return {ranked: 1.0 - self.epsilon}
        assert exposure.propensities is not None, "lists that explored have them"
        ratio = self.epsilon / float(exposure.context["epsilon"])
        return {ranked: 1.0 - self.epsilon, shown: min(1.0, exposure.propensities[place] * ratio)}


@dataclass(frozen=True, slots=True)
class ItemProbabilities:
    """A policy that shows the same items to everybody, with given probabilities.

    Args:
        probabilities: by item, adding up to 1.

    Raises:
        ExperimentError: they do not.
    """

    probabilities: Mapping[str, float]
    tells_all: bool = field(default=True, init=False)
    needs_plain: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        total = sum(self.probabilities.values())
        if any(one < 0 for one in self.probabilities.values()) or abs(total - 1.0) > 1e-6:
            raise ExperimentError(f"probabilities of items must not be negative and add up to 1; they are {total:g}")

    def distributions(self, exposures: Sequence[Exposure], places: Sequence[int], deadline: Deadline) -> list[Places]:
        """See :class:`TargetPolicy`."""
        return [[self.probabilities] * len(places)] * len(exposures)


class BundlePolicy:
    """What a bundle with options would have shown; with ``exploration`` among them, exploring alike.

    Args:
        make: makes lists again.
        bundle: name of the bundle; None: the live one.
        list_options: as a variant has them.

    Raises:
        ExperimentError: an option is wrong, or it explores by Thompson's draws, whose counts of then are not known.
    """

    tells_all = True
    needs_plain = True

    def __init__(self, make: MakeLists, bundle: str | None, list_options: Mapping[str, Any]) -> None:
        Variant("target", 1.0, bundle, list_options)
        if "k" in list_options:
            raise ExperimentError("a policy is judged at the places that were logged: leave k out of its list_options")
        self._exploration = exploration_of(list_options)
        if self._exploration is not None and self._exploration.method != "uniform":
            raise ExperimentError(
                "a policy that explores by thompson cannot be judged: the counts of then are not known; choose uniform"
            )
        self._make, self._bundle, self._options = make, bundle, list_options

    def distributions(self, exposures: Sequence[Exposure], places: Sequence[int], deadline: Deadline) -> list[Places]:
        """See :class:`TargetPolicy`."""
        queries = [PastQuery(str(one.user_id), one.shown_at, len(one.item_ids)) for one in exposures]
        explores = self._exploration is not None
        made = self._make(queries, self._bundle, self._options, deadline, explores)
        return [
            [_at(items, len(one.item_ids), place, self._exploration) for place in places]
            for one, items in zip(exposures, made, strict=False)
        ]


def _at(items: Sequence[str], k: int, place: int, exploration: ExplorationPolicy | None) -> ItemDistribution:
    """What stands at a place of a list that was made again."""
    if place >= min(k, len(items)):
        return {}
    own, behind = items[place], items[k:]
    if exploration is None or place not in exploration.slots or not behind:
        return {own: 1.0}
    # Where there are fewer items than slots, the last slots explore nothing.
    if [slot for slot in exploration.slots if slot < k].index(place) >= len(behind):
        return {own: 1.0}
    return {own: 1.0 - exploration.epsilon, **dict.fromkeys(behind, exploration.epsilon / len(behind))}
