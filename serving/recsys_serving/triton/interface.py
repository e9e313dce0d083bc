"""What the models of a repository are asked, and what they answer: names, types and sizes of tensors.

Every tensor has a row for each request. Ids are texts; where those of the data are whole numbers they may come as such.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureKind
from recsys.runtime.onnx_inputs import feature_input

#: The models that are asked, and the one in Python that answers both.
RECOMMEND = "recommend"
SIMILAR = "similar"
RECOMMENDER = "recommender"

#: Seconds that requests which are answered together may take for sampled explanations; others wait meanwhile.
EXPLAIN_SECONDS = 10.0

Tensors = dict[str, npt.NDArray[Any]]


class TensorSpec(NamedTuple):
    """What a tensor is of.

    Args:
        type: its numbers or texts, as configurations name them.
        size: of one request; -1: any.
        optional: whether it may be left out.
    """

    type: str
    size: int
    optional: bool = False


#: NumPy's types by those of configurations.
DTYPES: dict[str, type[np.generic]] = {
    "STRING": np.object_,
    "INT64": np.int64,
    "FP32": np.float32,
    "FP64": np.float64,
    "BOOL": np.bool_,
}


def _inputs(**sizes: tuple[str, int]) -> dict[str, TensorSpec]:
    return {name: TensorSpec(type_, size, optional=True) for name, (type_, size) in sizes.items()}


#: Inputs of ``recommend`` beside the columns of users (:func:`column_inputs`); filters, user_features and
#: exclude_seen are JSON.
RECOMMEND_INPUTS = _inputs(
    user_id=("STRING", 1),
    user_id_number=("INT64", 1),
    history=("STRING", -1),
    history_number=("INT64", -1),
    ratings=("FP32", -1),
    timestamps=("INT64", -1),
    user_features=("STRING", 1),
    k=("INT64", 1),
    exclude_items=("STRING", -1),
    exclude_items_number=("INT64", -1),
    filters=("STRING", 1),
    diversity=("STRING", 1),
    diversity_weight=("FP64", 1),
    diversity_column=("STRING", 1),
    explain=("BOOL", 1),
    exclude_seen=("STRING", 1),
    now=("INT64", 1),
)
#: Outputs of ``recommend``; details are JSON.
RECOMMEND_OUTPUTS = {
    "item_ids": TensorSpec("STRING", -1),
    "scores": TensorSpec("FP32", -1),
    "personalized": TensorSpec("BOOL", 1),
    "details": TensorSpec("STRING", 1),
}
#: Inputs of ``similar``, by their names in ``recommender``.
SIMILAR_INPUTS = {"similar_to": "item_ids", "similar_to_number": "item_ids_number", "k": "k", "by": "by"}
#: What ``recommender`` is given for it beside the inputs of ``recommend``.
SIMILAR_SPECS = _inputs(similar_to=("STRING", -1), similar_to_number=("INT64", -1), by=("STRING", 1))
#: Outputs of ``similar``: JSON.
SIMILAR_OUTPUTS = {"similar": TensorSpec("STRING", 1)}


def column_inputs(columns: tuple[EncodedColumn, ...]) -> dict[str, TensorSpec]:
    """An input for each column of users that the models of a bundle read: a number, a text or several."""
    return {feature_input(column.name): _column_spec(column) for column in columns}


def _column_spec(column: EncodedColumn) -> TensorSpec:
    if column.kind == FeatureKind.NUMBER:
        return TensorSpec("FP32", 1, optional=True)
    return TensorSpec("STRING", -1 if column.kind == FeatureKind.MULTI_VALUED else 1, optional=True)
