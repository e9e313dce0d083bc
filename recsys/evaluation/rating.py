"""Evaluation of predicted ratings by RMSE and MAE.

Shape suffixes: B users of a batch, U evaluated users, N held-out ratings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.split import Split, Stage
from recsys.errors import EvaluationError, ModelError
from recsys.evaluation.batch_planner import users_per_batch
from recsys.evaluation.means import FloatArray
from recsys.evaluation.segments import (
    ITEM_POPULARITIES,
    ITEM_POPULARITY,
    USER_ACTIVITIES,
    USER_ACTIVITY,
    item_popularity_of,
    user_activity_of,
)
from recsys.evaluation.statistics.significance import Interval, bootstrap_ratio_intervals
from recsys.models.interface.protocols import PredictsRatings, Query


def rmse(predicted: Tensor, rating: Tensor) -> Tensor:
    """Root of the mean squared error: ``sqrt(mean((predicted - rating)^2))``.

    Every rating has the same weight, whichever user gave it.

    Args:
        predicted: shape [N].
        rating: shape [N].

    Returns:
        A scalar, float64; NaN if there are no ratings.
    """
    return (predicted.double() - rating.double()).square().mean().sqrt()


def mae(predicted: Tensor, rating: Tensor) -> Tensor:
    """Mean absolute error: ``mean(|predicted - rating|)``; arguments and result as in :func:`rmse`."""
    return (predicted.double() - rating.double()).abs().mean()


@dataclass(frozen=True, slots=True, eq=False)
class RatingTask:
    """The held-out ratings of one stage, and the histories of the users who gave them, all on one device.

    Args:
        stage: ``valid`` or ``test``.
        users: users with a held-out rating, ascending, shape [U], int64.
        held_out: their held-out ratings; row ``n`` has those of ``users[n]``.
        histories: the known ratings of each user of the vocabulary.
        training_item_counts: training ratings of each item, shape [I], int64.
        training_user_counts: training ratings of each user of the vocabulary, int64.
    """

    stage: Stage
    users: Tensor
    held_out: Histories
    histories: Histories
    training_item_counts: Tensor
    training_user_counts: Tensor

    @classmethod
    def from_split(
        cls, interactions: Interactions, split: Split, stage: Stage, device: torch.device | str = "cpu"
    ) -> RatingTask:
        """The task of ``stage``.

        Args:
            interactions: the interactions that ``split`` divides, with ratings.
            split: rows of training, validation and test.
            stage: ``valid`` (training is known) or ``test`` (training and validation are known).
            device: device of the task, which must be that of the model.

        Raises:
            EvaluationError: there are no ratings.
        """
        if interactions.rating is None:
            raise EvaluationError(
                "an evaluation of predicted ratings needs ratings; these interactions have none: use data with a "
                "rating column"
            )
        held_out = Histories.from_interactions(interactions.take(split.targets(stage)), device)
        users = held_out.counts.nonzero()[:, 0]

        def counts(index: npt.NDArray[np.int32], size: int) -> Tensor:
            return torch.from_numpy(np.bincount(index[split.train], minlength=size)).to(device)

        return cls(
            stage=stage,
            users=users,
            held_out=held_out.take(users),
            histories=Histories.from_interactions(interactions.take(split.known(stage)), device),
            training_item_counts=counts(interactions.item_index, interactions.num_items),
            training_user_counts=counts(interactions.user_index, interactions.num_users),
        )


@dataclass(frozen=True, slots=True)
class RatingSegment:
    """Errors in one segment of the ratings.

    Args:
        group: what the ratings are divided by, such as ``user_activity``.
        name: name of the segment, such as ``low``.
        num_ratings: number of held-out ratings in it.
        rmse: NaN if there are none.
        mae: NaN if there are none.
    """

    group: str
    name: str
    num_ratings: int
    rmse: float
    mae: float


@dataclass(frozen=True, slots=True, eq=False)
class RatingResult:
    """Errors of one model on one task.

    The sums of each user allow paired comparisons of two models, which have the same users and counts.

    Args:
        users: internal indices of the evaluated users, ascending, shape [U], int64.
        num_ratings: held-out ratings of each user, shape [U], int64.
        squared_error: sum of the squared errors of each user, shape [U], float64.
        absolute_error: sum of the absolute errors of each user, shape [U], float64.
        segments: errors by segment of the ratings.
        intervals: 95 % bootstrap intervals of ``rmse`` and ``mae``; empty without a bootstrap.
    """

    users: npt.NDArray[np.int64]
    num_ratings: npt.NDArray[np.int64]
    squared_error: FloatArray
    absolute_error: FloatArray
    segments: tuple[RatingSegment, ...]
    intervals: dict[str, Interval]

    @property
    def rmse(self) -> float:
        """Root of the mean squared error of all ratings."""
        return math.sqrt(self.squared_error.sum() / self.num_ratings.sum())

    @property
    def mae(self) -> float:
        """Mean absolute error of all ratings."""
        return float(self.absolute_error.sum() / self.num_ratings.sum())

    def flat(self, prefix: str = "test") -> dict[str, float]:
        """All numbers by flat name.

        ``test/rmse``, ``test/rmse_low``, ``test/rmse_high``, ``test/user_activity=low/rmse`` and the same for ``mae``.
        Undefined numbers (of empty segments) are left out, so every value is finite.
        """
        numbers = {"rmse": self.rmse, "mae": self.mae}
        for name, (low, high) in self.intervals.items():
            numbers[f"{name}_low"], numbers[f"{name}_high"] = low, high
        for segment in self.segments:
            numbers[f"{segment.group}={segment.name}/rmse"] = segment.rmse
            numbers[f"{segment.group}={segment.name}/mae"] = segment.mae
        return {f"{prefix}/{name}": value for name, value in numbers.items() if math.isfinite(value)}


class RatingEvaluator:
    """Measures predicted ratings by RMSE and MAE.

    Intervals come from resampling users, each with all of their ratings: the errors of one user are correlated, and
    resampling single ratings would give intervals that are too narrow.

    Args:
        batch_size: users predicted at once. None: as many as are ranked for at once, see
            :mod:`recsys.evaluation.batch_planner`.
        bootstrap_samples: resamples for 95 % intervals; 0 for none.
        seed: seed of the bootstrap.

    Raises:
        EvaluationError: a setting is out of range.
    """

    def __init__(self, batch_size: int | None = None, bootstrap_samples: int = 1000, seed: int = 0) -> None:
        if (batch_size is not None and batch_size < 1) or bootstrap_samples < 0:
            raise EvaluationError(
                "batch_size must be at least 1 and bootstrap_samples at least 0; they are "
                f"{batch_size} and {bootstrap_samples}: correct them"
            )
        self.batch_size = batch_size
        self.bootstrap_samples = bootstrap_samples
        self.seed = seed

    def evaluate(self, model: PredictsRatings, task: RatingTask) -> RatingResult:
        """Measure ``model`` on ``task``.

        Args:
            model: predicts ratings, on the device of ``task``; a network is in evaluation mode.
            task: users and their held-out ratings.

        Raises:
            EvaluationError: there are no held-out ratings.
            ModelError: a prediction is missing or not a finite number.
        """
        if len(task.users) == 0:
            raise EvaluationError(
                f"an evaluation needs at least one held-out rating; the '{task.stage}' part of this split has none: "
                "hold out more interactions or evaluate another part"
            )
        assert task.held_out.rating is not None
        counts, items = task.held_out.counts, task.held_out.items
        user = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
        error = self._predict(model, task).double() - task.held_out.rating.double()
        squared, absolute = error.square(), error.abs()

        def sums(values: Tensor) -> FloatArray:
            return torch.bincount(user, values, minlength=len(counts)).cpu().numpy()

        activity = user_activity_of(task.training_user_counts[task.users])[user]
        popularity = item_popularity_of(task.training_item_counts)[items]
        num_ratings = counts.cpu().numpy()
        squared_error, absolute_error = sums(squared), sums(absolute)
        intervals = {}
        if self.bootstrap_samples > 0:
            totals = np.stack([squared_error, absolute_error], axis=1)
            mean_square, mean_absolute = bootstrap_ratio_intervals(
                totals, num_ratings.astype(np.float64), self.bootstrap_samples, self.seed
            )
            # The root is monotonic, so the percentiles of the mean squares give those of the RMSE.
            intervals = {"rmse": Interval(*(math.sqrt(end) for end in mean_square)), "mae": mean_absolute}
        return RatingResult(
            users=task.users.cpu().numpy(),
            num_ratings=num_ratings,
            squared_error=squared_error,
            absolute_error=absolute_error,
            segments=(
                *_segments(USER_ACTIVITY, USER_ACTIVITIES, activity, squared, absolute),
                *_segments(ITEM_POPULARITY, ITEM_POPULARITIES, popularity, squared, absolute),
            ),
            intervals=intervals,
        )

    @torch.inference_mode()
    def _predict(self, model: PredictsRatings, task: RatingTask) -> Tensor:
        """The predictions for all held-out ratings, shape [N]."""
        predicted, first = [], 0
        size = self.batch_size or users_per_batch(task.users.device, len(task.training_item_counts), 1)
        num_rated, known = task.held_out.host_lengths(), task.histories.host_lengths()[task.users.cpu().numpy()]
        for start in range(0, len(task.users), size):
            users = task.users[start : start + size]
            num_ratings = int(num_rated[start : start + size].sum())
            rows = torch.repeat_interleave(
                torch.arange(len(users), device=users.device),
                task.held_out.counts[start : start + size],
                output_size=num_ratings,
            )
            query = Query(users, task.histories.take(users, known[start : start + size]))
            ratings = model.predict_ratings(query, rows, task.held_out.items_at(slice(first, first + num_ratings)))
            if ratings.shape != rows.shape:
                raise _refused(model, len(rows), ratings)
            predicted.append(ratings)
            first += num_ratings
        ratings = torch.cat(predicted)
        if not bool(ratings.isfinite().all()):  # asked once, as the host waits for the answer
            raise _refused(model, len(ratings), ratings)
        return ratings


def _refused(model: object, num_pairs: int, ratings: Tensor) -> ModelError:
    return ModelError(
        f"a model must predict one finite rating for each of {num_pairs} pairs; {type(model).__name__} gave shape "
        f"{list(ratings.shape)} with {int((~torch.isfinite(ratings)).sum())} numbers that are not finite: train it "
        "again with a stronger regularisation, or correct it"
    )


def _segments(
    group: str, names: tuple[str, ...], part_of: Tensor, squared: Tensor, absolute: Tensor
) -> list[RatingSegment]:
    """The errors of each part; ``part_of`` is the position in ``names`` of each rating, shape [N]."""
    counts = torch.bincount(part_of, minlength=len(names))
    means = [torch.bincount(part_of, values, minlength=len(names)) / counts for values in (squared, absolute)]
    return [
        RatingSegment(group, name, int(count), math.sqrt(mean_square), float(mean_absolute))
        for name, count, mean_square, mean_absolute in zip(
            names, counts, *(mean.tolist() for mean in means), strict=True
        )
    ]
