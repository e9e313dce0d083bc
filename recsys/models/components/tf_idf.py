"""TF-IDF vectors of items from their features.

Shape suffixes: N items, M distinct values of all items together, V values of a column's vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from recsys.data.feature_tensors import CategoricalFeature, NumberFeature, RaggedFeature
from recsys.data.features import FeatureTable
from recsys.errors import ModelError
from recsys.models.linalg.interaction_matrix import InteractionMatrix


def choose_columns(features: FeatureTable, weights: Mapping[str, float] | None) -> dict[str, float]:
    """The item features that have words (all but numbers), with their weights.

    Args:
        features: the declared features.
        weights: a weight above 0 for each used column; None for all columns that have words, with weight 1.

    Raises:
        ModelError: there is no such column, or a weight is not above 0.
    """
    possible = [name for name, feature in features.features.items() if not isinstance(feature, NumberFeature)]
    if not possible:
        numbers = f" ({', '.join(features.features)}: numbers have no words)" if features.features else ""
        raise ModelError(
            "Knowing items by their content needs a categorical, multi-valued or text column of the items table "
            f"that is declared as a feature, but these data declare none{numbers}. Declare what there is, as in "
            """data=table data.items=FILE 'data.item_features={genres: {kind: multi_valued, separator: "|"}}', """
            "or choose another model."
        )
    if weights is None:
        return dict.fromkeys(possible, 1.0)
    wrong = [name for name in weights if name not in possible]
    if wrong or not weights:
        raise ModelError(
            f"model.columns must name item features that have words, which are {', '.join(possible)}, but it names "
            f"{', '.join(wrong) or 'none'}. Correct it; null takes them all."
        )
    low = {name: weight for name, weight in weights.items() if not weight > 0}
    if low:
        raise ModelError(f"Weights in model.columns must be above 0, but they are {low}. Leave out what has no weight.")
    return dict(weights)


def tf_idf(features: FeatureTable, weights: Mapping[str, float]) -> InteractionMatrix:
    """TF-IDF vectors of length 1.

    A value that an item has ``n`` times has the weight ``(1 + ln n) * (1 + ln((1 + N) / (1 + df)))``, where ``df`` of
    the N items have it. Each column is scaled to length ``sqrt(weight)``, then the whole item to length 1. So the
    cosine of two items with values in all columns is the weighted mean of the cosines of the columns, and a title of
    many words does not outweigh a few genres.

    Salton, Buckley: Term-weighting approaches in automatic text retrieval (1988). The added ones keep values that
    every item has.

    Args:
        features: columns of N items.
        weights: weights of the used columns, from :func:`choose_columns`.

    Returns:
        N rows of float32, with a column for each value of each feature, feature by feature. A row without values is
        empty.
    """
    columns = [_column(features, name, weight) for name, weight in weights.items()]
    widths = torch.tensor([0, *(width for *_, width in columns)]).cumsum(0).tolist()
    rows = torch.cat([row for row, *_ in columns])
    words = torch.cat([word + start for (_, word, *_), start in zip(columns, widths, strict=False)])
    values = torch.cat([value for _, _, value, _ in columns])
    order = torch.argsort(rows * widths[-1] + words)
    rows, words, values = rows[order], words[order], values[order]
    counts = torch.bincount(rows, minlength=len(features))
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    values = values / _lengths(rows, values, len(features))[rows]
    return InteractionMatrix(offsets, words, values.float(), widths[-1])


def _column(features: FeatureTable, name: str, weight: float) -> tuple[Tensor, Tensor, Tensor, int]:
    """Row, word and value (float64) of each entry of one column, ordered by row; and V."""
    feature = features[name]
    assert not isinstance(feature, NumberFeature)
    rows, words = _occurrences(feature)
    num_rows, num_words = len(features), len(feature.vocabulary)
    keys, times = torch.unique(rows * num_words + words, return_counts=True)
    rows, words = keys // max(num_words, 1), keys % max(num_words, 1)
    rarity = _rarity(words, num_words, num_rows)
    values = (1 + times.double().log()) * rarity[words]
    return rows, words, weight**0.5 * values / _lengths(rows, values, num_rows)[rows], num_words


def rarities(features: FeatureTable, name: str) -> Tensor:
    """``1 + ln((1 + N) / (1 + df))`` of each value of a column, shape [V], float64."""
    feature = features[name]
    assert not isinstance(feature, NumberFeature)
    rows, words = _occurrences(feature)
    num_words = len(feature.vocabulary)
    keys = torch.unique(rows * num_words + words)
    return _rarity(keys % max(num_words, 1), num_words, len(features))


def _rarity(words: Tensor, num_words: int, num_rows: int) -> Tensor:
    """Inverse document frequency from ``words``, the value of each distinct (row, value) pair; shape [V], float64."""
    frequency = torch.bincount(words, minlength=num_words)
    return 1 + torch.log((1 + num_rows) / (1 + frequency).double())


def _occurrences(feature: CategoricalFeature | RaggedFeature) -> tuple[Tensor, Tensor]:
    """The row and the position in the vocabulary of each occurrence of a known value."""
    if isinstance(feature, CategoricalFeature):
        rows = feature.codes.nonzero()[:, 0]
        return rows, feature.codes[rows] - 1
    rows = torch.repeat_interleave(torch.arange(len(feature.offsets) - 1), feature.offsets.diff())
    return rows, feature.codes - 1


def _lengths(rows: Tensor, values: Tensor, num_rows: int) -> Tensor:
    """The Euclidean length of each row, shape [num_rows]; 0 for an empty one."""
    return torch.zeros(num_rows, dtype=values.dtype).index_add_(0, rows, values.square()).sqrt()
