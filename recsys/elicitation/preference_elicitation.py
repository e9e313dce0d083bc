"""Preference elicitation: which items to ask a new user about.

Shape suffixes: I items, D components.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from recsys.elicitation.familiarity import FamiliarityModel
from recsys.evaluation.means import FloatArray

#: Lowest probability that a user knows an item, whatever the answers were.
MIN_PROBABILITY = 1e-3


class PreferenceElicitation:
    """Chooses the items that a new user is asked about, so that few answers reveal much of their taste.

    The next item maximises the expected gain: the probability that the user knows it, given the answers so far, times
    the reduction of uncertainty if they do, ``|W S w_i|^2 / (n_i + w_i . S w_i)``, which is the reduction of the total
    variance of all items' ``x`` (an A-optimal design).

    Two posteriors of the user vector are kept. The first is updated by each answer; its mean gives the probabilities.
    The second, with covariance ``S``, is that of a recommender, which sees only the history of known items: it is
    updated by known items alone. A list made before there are answers (:meth:`shortlist`) updates it with each item in
    proportion to the probability that the item is known.

    Related: Rashid et al., Getting to Know You (IUI 2002), who multiply popularity and entropy; Golbandi, Koren,
    Lempel, Adaptive Bootstrapping of Recommender Systems (WSDM 2011), who adapt to the answers so far; Liu et al.,
    Wisdom of the Better Few (RecSys 2011), who choose items that represent the others.

    Args:
        familiarity: which items users know.
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
        """Probability that the user knows each item, given the answers so far, shape [I]."""
        expected = self._model.shares + self._model.loadings @ self._mean
        return np.clip(expected, MIN_PROBABILITY, 1.0)

    def gains(self) -> FloatArray:
        """Expected gain of each item, shape [I]; minus infinity for one that was asked about or that nobody knows."""
        loadings = self._model.loadings
        narrowed = loadings @ self._uncertainty
        reduction = ((narrowed @ self._gram) * narrowed).sum(1)
        reduction /= self._model.noise + (narrowed * loadings).sum(1)
        return np.where(self._asked, -np.inf, self.probabilities() * reduction)

    def next_item(self) -> int | None:
        """The item to ask about next (the first of equal ones), or None if none is left."""
        gains = self.gains()
        best = int(gains.argmax()) if len(gains) > 0 else 0
        return best if len(gains) > 0 and np.isfinite(gains[best]) else None

    def answer(self, item: int, known: bool) -> None:
        """Update with the answer whether the user knows ``item``, which may also be one that was not asked about."""
        loading, noise = self._model.loadings[item], self._model.noise[item]
        projected = self._covariance @ loading
        spread = noise + loading @ projected
        surprise = float(known) - self._model.shares[item] - loading @ self._mean
        self._mean = self._mean + projected * (surprise / spread)
        self._covariance = self._covariance - np.outer(projected, projected) / spread
        self._narrow(item, float(known))

    def answer_all(self, items: Iterable[int], known: bool) -> None:
        """Update with the same answer for several items."""
        for item in items:
            self.answer(item, known)

    def shortlist(self, k: int) -> list[int]:
        """The next ``k`` items to ask about all at once, the best first; fewer if no more are left.

        They count as asked about afterwards.
        """
        items: list[int] = []
        while len(items) < k and (item := self.next_item()) is not None:
            items.append(item)
            self._narrow(item, float(self.probabilities()[item]))
        return items

    def _narrow(self, item: int, weight: float) -> None:
        """Reduce the uncertainty by ``weight`` times what a known ``item`` reduces it by."""
        loading = self._model.loadings[item]
        projected = self._uncertainty @ loading
        spread = self._model.noise[item] + loading @ projected
        self._uncertainty = self._uncertainty - weight * np.outer(projected, projected) / spread
        self._asked[item] = True
