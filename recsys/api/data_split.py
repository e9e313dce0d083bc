"""A data set divided into training, validation and test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from hydra.utils import instantiate
from omegaconf import DictConfig

from recsys.api.dataset import Dataset
from recsys.api.python_wording import python_wording
from recsys.data.feedback_view import FeedbackView, ViewKind
from recsys.data.interactions import IntArray
from recsys.data.split import Split
from recsys.errors import SettingsError

PartName = Literal["train", "valid", "test", "train_with_valid", "everything"]


class DataSplit:
    """A split of a data set; ``split.train`` is what a model is fitted on.

    Models of likes and models of ratings learn from different interactions where there is a threshold, so the rows are
    found for each of the two views when they are asked for.

    Args:
        data: what is divided.
        config: of the splitter.
        view: ``implicit`` or ``explicit``; None: as a model learns, and the implicit one where no model is asked.

    Raises:
        SettingsError: there is no such view.
        SplitError: the data do not have what the splitter needs.
    """

    def __init__(self, data: Dataset, config: DictConfig, view: str | None = None) -> None:
        if view not in (None, "implicit", "explicit"):
            raise SettingsError(f"view must be implicit, explicit or None, but it is {view!r}.")
        self.data = data
        self.config = config
        self.view = view
        self._views: dict[ViewKind, tuple[FeedbackView, Split]] = {}
        self.rows(self._own_kind)

    @property
    def train(self) -> SplitPart:
        """What a model learns from; it may watch the validation part to know when to stop."""
        return SplitPart(self, "train")

    @property
    def valid(self) -> SplitPart:
        """Held out for choosing settings."""
        return SplitPart(self, "valid")

    @property
    def test(self) -> SplitPart:
        """Held out for the final numbers."""
        return SplitPart(self, "test")

    @property
    def train_with_valid(self) -> SplitPart:
        """Training and validation together, for the last fit before the test, once settings are chosen."""
        return SplitPart(self, "train_with_valid")

    @property
    def everything(self) -> SplitPart:
        """All interactions, for a model of tomorrow: what held out had to choose is chosen first."""
        return SplitPart(self, "everything")

    def rows(self, kind: ViewKind) -> Split:
        """The rows of each part in one view."""
        return self.of(kind)[1]

    @python_wording
    def of(self, kind: ViewKind) -> tuple[FeedbackView, Split]:
        """One view of the data, and the rows of each part in it.

        Raises:
            DataError: the explicit view is asked of data without ratings.
            SplitError: the data do not have what the splitter needs.
        """
        if kind not in self._views:
            prepared = self.data.prepared
            view = FeedbackView.explicit(prepared) if kind == "explicit" else FeedbackView.implicit(prepared)
            split: Split = instantiate(self.config).split(view.interactions)
            self._views[kind] = (view, split)
        return self._views[kind]

    @property
    def _own_kind(self) -> ViewKind:
        return "explicit" if self.view == "explicit" else "implicit"

    def part(self, name: PartName) -> pd.DataFrame:
        """The interactions of a part."""
        view, _ = self.of(self._own_kind)
        return self.data.frame_of(view.interactions.take(self._rows_of(name)))

    def size(self, name: PartName) -> int:
        """Number of interactions of a part."""
        return len(self._rows_of(name))

    def _rows_of(self, name: PartName) -> IntArray:
        view, split = self.of(self._own_kind)
        if name == "everything":
            return np.arange(len(view.interactions), dtype=np.int64)
        if name == "train_with_valid":
            return split.with_validation_in_training().train
        rows: IntArray = getattr(split, name)
        return rows

    def __iter__(self) -> Iterator[SplitPart]:
        return iter((self.train, self.valid, self.test))

    def __repr__(self) -> str:
        names: tuple[PartName, ...] = ("train", "valid", "test")
        return f"DataSplit({self.data.name!r}: {', '.join(f'{name} {self.size(name):,}' for name in names)})"


@dataclass(frozen=True, slots=True)
class SplitPart:
    """One part of a split.

    Args:
        split: of which it is a part.
        name: of the part.
    """

    split: DataSplit
    name: PartName

    def to_pandas(self) -> pd.DataFrame:
        """Its interactions."""
        return self.split.part(self.name)

    def __len__(self) -> int:
        return self.split.size(self.name)

    def __repr__(self) -> str:
        return f"SplitPart({self.split.data.name!r}, {self.name}: {len(self):,} interactions)"
