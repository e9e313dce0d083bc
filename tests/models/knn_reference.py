"""Similarities and weightings entry by entry in float64, as the papers define them: slow and independent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import Interactions
from recsys.models.components.similarities import AdjustedCosine, AsymmetricCosine, Cosine, Jaccard, Similarity
from recsys.models.components.weightings import BM25, TFIDF, Unweighted, Weighting

Matrix = npt.NDArray[np.float64]

SIMILARITIES: dict[str, Similarity] = {
    "cosine": Cosine(shrinkage=2.0),
    "asymmetric": AsymmetricCosine(alpha=0.3, shrinkage=1.0),
    "jaccard": Jaccard(shrinkage=0.5),
    "adjusted": AdjustedCosine(shrinkage=3.0),
}
WEIGHTINGS: dict[str, Weighting] = {"none": Unweighted(), "tf_idf": TFIDF(), "bm25": BM25(k1=1.5, b=0.6)}


def similarity_of(name: str, first: Matrix, second: Matrix) -> float:
    """Similarity of ``first``, which seeks neighbours, and ``second``."""
    product, a, b = first @ second, np.sqrt(first @ first), np.sqrt(second @ second)
    denominator = {
        "cosine": a * b + 2.0,
        "asymmetric": a**0.6 * b**1.4 + 1.0,
        "jaccard": a**2 + b**2 - product + 0.5,
        "adjusted": a * b + 3.0,
    }[name]
    return product / denominator


def represented(name: str, interactions: Interactions) -> Matrix:
    """Users by items: what is compared under the similarity ``name``."""
    matrix = np.zeros((interactions.num_users, interactions.num_items))
    assert interactions.rating is not None
    for user in range(interactions.num_users):
        mine = interactions.user_index == user
        ratings = interactions.rating[mine].astype(np.float64)
        value = ratings - ratings.mean() if name == "adjusted" and len(ratings) else 1.0
        matrix[user, interactions.item_index[mine]] = value
    return matrix


def weighted(name: str, matrix: Matrix, present: Matrix) -> Matrix:
    """``matrix`` under the weighting ``name``; ``present`` is 1 where it has a value, even one of zero."""
    num_rows, num_columns = matrix.shape
    result = np.zeros_like(matrix)
    for row in range(num_rows):
        for column in range(num_columns):
            idf = np.log(num_rows / (1 + present[:, column].sum()))
            value = matrix[row, column]
            if name == "bm25":
                length = present[row].sum() / (present.sum() / num_rows)
                value = value * 2.5 / (1.5 * (0.4 + 0.6 * length) + abs(value))
            result[row, column] = value if name == "none" else value * max(idf, 0)
    return result


def neighbours(similarities: Matrix, num_neighbours: int) -> Matrix:
    """Each row's largest entries above zero; the others are zero."""
    result = np.zeros_like(similarities)
    for row, values in enumerate(similarities):
        for column in np.argsort(-values)[:num_neighbours]:
            result[row, column] = max(values[column], 0)
    return result
