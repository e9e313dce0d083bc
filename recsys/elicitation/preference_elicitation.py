"""What to ask a new user next.

Shape suffixes: I items, D components.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from recsys.elicitation.familiarity import FamiliarityModel
from recsys.evaluation.means import FloatArray

#: A user may know anything that anyone knows, whatever the answers say.
MIN_PROBABILITY = 1e-3


class PreferenceElicitation:
    """Asks a new user which items they know, so that few answers tell much of their taste.

    The next item is the one with the largest product of two numbers: the probability that the user knows it, given the
    answers so far, and how much less uncertain the recommender would then be of the user,
    ``|W S w_i|^2 / (n_i + w_i . S w_i)``: what the variances of all items' ``x`` lose together (an A-optimal design).

    Two beliefs about the user vector are kept. The first is of what the user knows, and learns from each answer; its
    mean gives the probabilities. The second, with covariance ``S``, is what a recommender learns from the history that
    the answers make, in which unknown items do not stand: it narrows with known items alone. A list that is drawn up
    before there are answers (:meth:`shortlist`) narrows it with each item by as much as the item is likely to be known.

    Related: Rashid et al., Getting to Know You (IUI 2002), who multiply popularity and entropy; Golbandi, Koren,
    Lempel, Adaptive Bootstrapping of Recommender Systems (WSDM 2011), who ask by the answers so far; Liu et al., Wisdom
    of the Better Few (RecSys 2011), who choose items that represent the others.

    Args:
        familiarity: who knows what.
    """

    def __init__(self, familiarity: FamiliarityModel) -> None:
        self._model = familiarity
        dim = familiarity.loadings.shape[1]
        self._mean = np.zeros(dim)
        self._covariance = np.eye(dim)
        self._uncertainty = np.eye(dim)
        self._gram = familiarity.loadings.T @ familiarity.loadings
        self._asked: npt.NDArray[np.bool_] = familiarity.shares <= 0

    def probabilities(self) -> FloatArray:
        """How likely the user is to know each item, given the answers so far, shape [I]."""
        expected = self._model.shares + self._model.loadings @ self._mean
        return np.clip(expected, MIN_PROBABILITY, 1.0)

    def gains(self) -> FloatArray:
        """What is to be expected of asking each item, shape [I]; minus infinity for what was asked or nobody knows."""
        loadings = self._model.loadings
        narrowed = loadings @ self._uncertainty
        reduction = ((narrowed @ self._gram) * narrowed).sum(1)
        reduction /= self._model.noise + (narrowed * loadings).sum(1)
        return np.where(self._asked, -np.inf, self.probabilities() * reduction)

    def next_item(self) -> int | None:
        """The item to ask for (of equally good ones the first), or None where there is none left."""
        gains = self.gains()
        best = int(gains.argmax()) if len(gains) > 0 else 0
        return best if len(gains) > 0 and np.isfinite(gains[best]) else None

    def answer(self, item: int, known: bool) -> None:
        """Take in whether the user knows ``item``, which was asked for or came up otherwise."""
        loading, noise = self._model.loadings[item], self._model.noise[item]
        projected = self._covariance @ loading
        spread = noise + loading @ projected
        surprise = float(known) - self._model.shares[item] - loading @ self._mean
        self._mean = self._mean + projected * (surprise / spread)
        self._covariance = self._covariance - np.outer(projected, projected) / spread
        self._narrow(item, float(known))

    def answer_all(self, items: Iterable[int], known: bool) -> None:
        """Take in one and the same answer for several items."""
        for item in items:
            self.answer(item, known)

    def shortlist(self, k: int) -> list[int]:
        """The next ``k`` items to be asked all at once, the best first; fewer where no more are left.

        They count as asked afterwards.
        """
        items: list[int] = []
        while len(items) < k and (item := self.next_item()) is not None:
            items.append(item)
            self._narrow(item, float(self.probabilities()[item]))
        return items

    def _narrow(self, item: int, weight: float) -> None:
        """Make the recommender ``weight`` times as much more certain as a known ``item`` makes it."""
        loading = self._model.loadings[item]
        projected = self._uncertainty @ loading
        spread = self._model.noise[item] + loading @ projected
        self._uncertainty = self._uncertainty - weight * np.outer(projected, projected) / spread
        self._asked[item] = True
