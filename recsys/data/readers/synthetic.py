"""Synthetic interactions of any size, with a structure that models can learn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, TITLE, USER_ID
from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset
from recsys.data.readers.fingerprint import make_fingerprint
from recsys.data.readers.lists import gather_lists
from recsys.errors import DataError

_NUM_GENRES = 16
#: 1 January 2020, in seconds, and two years.
_START_SECONDS = 1_577_836_800
_SPAN_SECONDS = 63_072_000
#: Above this density, too many draws are needed to find enough distinct pairs.
_MAX_DENSITY = 0.1
_MAX_ROUNDS = 100
#: Draws made at once, so that temporary arrays stay small compared with the result.
_CHUNK = 1_000_000


class SyntheticReader:
    """Generates synthetic interactions.

    Each item has a genre, a latent vector near the centre of its genre, and a popularity that falls with its rank r
    as 1 / r^popularity_exponent. Each user has a latent vector, and an activity from a log-normal distribution. A user
    draws a genre by the softmax of the products of their vector with the centres, and an item of it by popularity; a
    pair that was drawn before is drawn anew. The rating is 3.5, plus the product of the two vectors, plus noise,
    rounded to 1, 2, 3, 4 or 5. Timestamps are uniform over two years. The same arguments give the same data.

    Args:
        num_users: users; each has at least one interaction.
        num_items: items; unpopular ones may have none.
        num_interactions: interactions, from ``num_users`` to a tenth of all pairs.
        seed: seed of the random numbers.
        popularity_exponent: 0 makes the items of a genre equally popular, 1 is Zipf's law.
        latent_dim: length of the latent vectors.

    Raises:
        DataError: the sizes do not fit each other.
    """

    name = "synthetic"

    def __init__(
        self,
        num_users: int = 1_000,
        num_items: int = 500,
        num_interactions: int = 30_000,
        seed: int = 0,
        popularity_exponent: float = 0.8,
        latent_dim: int = 8,
    ) -> None:
        largest = int(num_users * num_items * _MAX_DENSITY)
        if min(num_users, num_items, latent_dim) < 1 or not num_users <= num_interactions <= largest:
            raise DataError(
                "Synthetic data need users, items and a latent dimension, and from num_users to a tenth of num_users x "
                f"num_items interactions; {num_interactions:,} interactions of {num_users:,} users with {num_items:,} "
                "items were asked for. Change the sizes."
            )
        self.num_users = num_users
        self.num_items = num_items
        self.num_interactions = num_interactions
        self.seed = seed
        self.popularity_exponent = popularity_exponent
        self.latent_dim = latent_dim

    def read(self) -> RawDataset:
        """Generate the data; see :class:`recsys.data.raw.Reader`."""
        generator = np.random.default_rng(self.seed)
        centres = generator.normal(size=(_NUM_GENRES, self.latent_dim)).astype(np.float32)
        users = generator.normal(scale=self.latent_dim**-0.5, size=(self.num_users, self.latent_dim)).astype(np.float32)
        genre = generator.integers(0, _NUM_GENRES, self.num_items)
        items = centres[genre] + generator.normal(scale=0.5, size=(self.num_items, self.latent_dim)).astype(np.float32)
        user, item = self._pairs(generator, users @ centres.T, genre)
        rating = np.empty(len(user), dtype=np.float32)
        for part in _chunks(len(user)):
            product = np.einsum("nd,nd->n", users[user[part]], items[item[part]])
            noise = generator.normal(scale=0.7, size=len(product))
            rating[part] = np.clip(np.rint(3.5 + product + noise), 1, 5)
        timestamp = generator.integers(_START_SECONDS, _START_SECONDS + _SPAN_SECONDS, len(user))
        user_ids, item_ids = _ids("u", self.num_users), _ids("i", self.num_items)
        interactions = {
            USER_ID: pa.DictionaryArray.from_arrays(pa.array(user), user_ids),
            ITEM_ID: pa.DictionaryArray.from_arrays(pa.array(item), item_ids),
            RATING: pa.array(rating),
            TIMESTAMP: pa.array(timestamp),
        }
        genres = _ids("genre ", _NUM_GENRES).take(pa.array(genre))
        content = {
            ITEM_ID: item_ids,
            TITLE: _ids("Item ", self.num_items),
            "genres": gather_lists(np.arange(self.num_items), genres, self.num_items),
        }
        return RawDataset(
            name=self.name,
            interactions=pa.table(interactions),
            items=pa.table(content),
            item_features=(FeatureColumn("genres", FeatureKind.MULTI_VALUED),),
        )

    def fingerprint(self) -> dict[str, object]:
        """The arguments; see :class:`recsys.data.raw.Reader`."""
        return make_fingerprint(self, vars(self))

    def _pairs(
        self, generator: np.random.Generator, affinity: npt.NDArray[np.float32], genre: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Distinct (user, item) pairs in ascending order; each user has at least one.

        Args:
            generator: source of randomness.
            affinity: affinity of each user to each genre, shape [U, G].
            genre: genre of each item, shape [I].
        """
        activity = np.cumsum(generator.lognormal(size=self.num_users))
        activity /= activity[-1]
        taste = np.exp(affinity - affinity.max(axis=1, keepdims=True))
        taste[:, np.bincount(genre, minlength=_NUM_GENRES) == 0] = 0
        taste = np.cumsum(taste, axis=1)
        taste /= taste[:, -1:]
        draw_items = _ItemDraws(generator, genre, self.popularity_exponent)

        keys = np.empty(0, dtype=np.int64)
        for attempt in range(_MAX_ROUNDS):
            missing = self.num_interactions - len(keys)
            if missing <= 0:
                break
            # New pairs become rarer with every round, so more are drawn each time.
            drawn = np.empty(min(missing * (attempt + 1), self.num_interactions), dtype=np.int64)
            for part in _chunks(len(drawn)):
                user = np.searchsorted(activity, generator.random(len(drawn[part])), side="right")
                if attempt == 0:
                    every = np.arange(part.start, min(part.stop, self.num_users))
                    user[: len(every)] = every
                tasted = taste[user] <= generator.random((len(user), 1), dtype=np.float32)
                drawn[part] = user * self.num_items + draw_items(generator, tasted.sum(axis=1))
            keys = np.concatenate([keys, drawn])
            keys.sort()  # many times faster than np.unique, which hashes
            keys = keys[np.append(True, keys[1:] != keys[:-1])]
        else:
            raise DataError(
                f"Only {len(keys):,} of {self.num_interactions:,} distinct synthetic interactions were found. Ask for "
                "fewer, or for more users or items."
            )
        keys = self._trim(generator, keys)
        return (keys // self.num_items).astype(np.int32), (keys % self.num_items).astype(np.int32)

    def _trim(self, generator: np.random.Generator, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Remove surplus pairs at random, but never a user's first pair."""
        user = keys // self.num_items
        spare = np.flatnonzero(user[1:] == user[:-1]) + 1
        return np.delete(keys, generator.choice(spare, len(keys) - self.num_interactions, replace=False))


class _ItemDraws:
    """Draws an item of a given genre by popularity.

    The cumulative shares of all items, genre after genre, form one line; a draw is a binary search in it.
    """

    def __init__(self, generator: np.random.Generator, genre: npt.NDArray[np.int64], exponent: float) -> None:
        weight = (generator.permutation(len(genre)) + 1.0) ** -exponent
        share = weight / np.bincount(genre, weight, minlength=_NUM_GENRES)[genre]
        self._items = np.argsort(genre, kind="stable")
        self._line = np.cumsum(share[self._items])  # each genre that has items takes up one unit of the line
        counts = np.bincount(genre, minlength=_NUM_GENRES)
        self._unit = np.cumsum(counts > 0) - 1
        self._end = np.cumsum(counts)
        self._begin = self._end - counts

    def __call__(self, generator: np.random.Generator, genre: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        position = np.searchsorted(self._line, self._unit[genre] + generator.random(len(genre)), side="right")
        # The sums are rounded, so that a draw at the very edge could fall into the neighbouring genre.
        return self._items[np.clip(position, self._begin[genre], self._end[genre] - 1)]


def _chunks(length: int) -> list[slice]:
    return [slice(start, min(start + _CHUNK, length)) for start in range(0, length, _CHUNK)]


def _ids(prefix: str, count: int) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(np.arange(1, count + 1)).cast(pa.string()), "")
