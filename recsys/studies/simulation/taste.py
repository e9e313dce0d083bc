"""What simulated users like: latent factors of users and items that no recommender is told.

The vector of an item comes in part from its columns, so that items with equal genres are alike, and in part from its
id. All is drawn from hashes of a seed and of the ids: the same users and items have the same taste in each process, in
whatever order they come.

Shape suffixes: I items, D factors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.errors import SettingsError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TasteSettings:
    """How tastes are spread.

    Args:
        seed: of all that is drawn.
        num_factors: of a taste.
        content_share: share of an item's vector, from 0 to 1, that its columns explain; the rest is the item's own.
        sharpness: how much a fitting item is liked more than one that does not fit.
        quality_spread: how much items are liked more or less by everybody.
        offset: log-odds at which an item is liked that fits neither well nor badly.

    Raises:
        SettingsError: a value is out of range.
    """

    seed: int = 42
    num_factors: int = 8
    content_share: float = 0.5
    sharpness: float = 3.0
    quality_spread: float = 0.5
    offset: float = -2.0

    def __post_init__(self) -> None:
        if self.num_factors < 1:
            raise SettingsError(f"num_factors must be 1 or more, but is {self.num_factors}.")
        if not 0 <= self.content_share <= 1:
            raise SettingsError(f"content_share must be from 0 to 1, but is {self.content_share}.")
        if self.sharpness < 0 or self.quality_spread < 0:
            raise SettingsError("sharpness and quality_spread must be 0 or more. Correct the one that is less.")


class TasteModel:
    """Tastes of any users in given items.

    Args:
        items: the columns of each item, such as ``{"genres": ["Drama"], "year": 1990}``, by its id.
        settings: how tastes are spread.

    Raises:
        SettingsError: there are no items.

    Example:
        >>> taste = TasteModel({"a": {"genres": ["Drama"]}, "b": {}})
        >>> bool(0 < taste.affinities("ann")[0] < 1)
        True
    """

    def __init__(self, items: Mapping[str, Mapping[str, Any]], settings: TasteSettings | None = None) -> None:
        if not items:
            raise SettingsError("A taste needs at least one item, but there is none. Give the items of a catalogue.")
        self.settings = settings or TasteSettings()
        self.item_ids: tuple[str, ...] = tuple(items)
        self._place = {item_id: place for place, item_id in enumerate(self.item_ids)}
        self._vectors_ID = np.stack([self._item_vector(item_id, columns) for item_id, columns in items.items()])
        spread = self.settings.quality_spread
        self._quality_I = np.array([spread * self._normal("quality", item_id)[0] for item_id in self.item_ids])

    def affinities(self, user_id: str) -> FloatArray:
        """Probability that a user likes each item when looking at it, shape [I], in the order of ``item_ids``."""
        vector_D = _unit(self._normal("user", user_id))
        # The products of random unit vectors have the variance 1/D: without the root, more factors would be less taste.
        fit_I = self._vectors_ID @ vector_D * np.sqrt(self.settings.num_factors)
        log_odds_I = self.settings.offset + self.settings.sharpness * fit_I / 2 + self._quality_I
        return np.asarray(1 / (1 + np.exp(-log_odds_I)))

    def affinities_of(self, user_id: str, item_ids: Sequence[str]) -> FloatArray:
        """The same of some items, in their order; 0 for one that is not known."""
        affinities_I = self.affinities(user_id)
        places = [self._place.get(item_id) for item_id in item_ids]
        return np.array([0.0 if place is None else affinities_I[place] for place in places])

    def best_mean(self, user_id: str, k: int) -> float:
        """Mean affinity of the ``k`` items that a user likes most: no list can have more."""
        affinities_I = self.affinities(user_id)
        return float(np.sort(affinities_I)[::-1][:k].mean())

    def random_mean(self, user_id: str) -> float:
        """Mean affinity of all items: what random lists have."""
        return float(self.affinities(user_id).mean())

    def _item_vector(self, item_id: str, columns: Mapping[str, Any]) -> FloatArray:
        parts = [
            self._normal("value", f"{name}={value}") for name, values in columns.items() for value in _each(values)
        ]
        own = _unit(self._normal("item", item_id))
        if not parts:
            return own
        share = self.settings.content_share
        return _unit(np.sqrt(share) * _unit(np.sum(parts, axis=0)) + np.sqrt(1 - share) * own)

    def _normal(self, kind: str, name: str) -> FloatArray:
        """Numbers of a normal distribution that belong to a name, shape [D]."""
        digest = hashlib.blake2b(f"{self.settings.seed}\0{kind}\0{name}".encode(), digest_size=8).digest()
        generator = np.random.default_rng(int.from_bytes(digest, "big"))
        return generator.standard_normal(self.settings.num_factors)


def _each(values: Any) -> Iterable[Any]:
    """The values of a cell: those of a list, a text, a truth value; numbers say too little as names."""
    if isinstance(values, list | tuple):
        return values
    return [values] if isinstance(values, str | bool) else []


def _unit(vector: FloatArray) -> FloatArray:
    return np.asarray(vector / np.linalg.norm(vector))
