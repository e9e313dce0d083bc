"""What a model is fitted on: all of a data set, or the training part of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recsys.api.data_split import DataSplit, SplitPart
from recsys.api.dataset import Dataset
from recsys.errors import DataError


@dataclass(frozen=True, slots=True)
class TrainingPart:
    """What is learnt from.

    Args:
        split: of the data.
        settings: what the configuration of a training says of it besides the split.
    """

    split: DataSplit
    settings: Mapping[str, Any] = field(default_factory=dict)


def training_part(data: Any, has_epochs: bool, epochs: int | None = None) -> TrainingPart:
    """The part of ``data`` that a model is fitted on.

    All of a data set is learnt from at once by a model without epochs. A model with epochs needs to know how many:
    where that is not said, they are chosen on validation, and then the model is fitted once more on everything.

    Args:
        data: a data set, a split, or its part ``train``, ``train_with_valid`` or ``everything``.
        has_epochs: whether the model is trained in epochs.
        epochs: how many, where it is said.

    Raises:
        DataError: it is none of these.
    """
    if isinstance(data, Dataset):
        if has_epochs and epochs is None:
            return TrainingPart(data.split(), {"refit": "all"})
        return TrainingPart(data.split("none"), {"refit_epochs": epochs} if has_epochs else {})
    if isinstance(data, DataSplit):
        return TrainingPart(data)
    if isinstance(data, SplitPart):
        refits = {"train": False, "train_with_valid": True, "everything": "all"}
        if data.name in refits:
            return TrainingPart(data.split, {"refit": refits[data.name]})
        raise DataError(
            f"A model is fitted on split.train, split.train_with_valid or split.everything, but split.{data.name} "
            "came, which is held out to judge it."
        )
    hint = " Make one of it: recsys.Dataset.from_pandas(table)." if hasattr(data, "columns") else ""
    raise DataError(f"A model is fitted on a recsys.Dataset or on split.train, but a {type(data).__name__} came.{hint}")
