"""A model as a notebook has it: settings in, ``fit``, then lists, similar items and explanations as tables."""

from __future__ import annotations

import copy
import difflib
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from recsys.api.composition import composed, is_group, require_choice
from recsys.api.dataset import Dataset, resolved_data
from recsys.api.fitting import Fitted, fit_model
from recsys.api.frame_recommender import FrameRecommender
from recsys.api.python_wording import NESTED, python_wording
from recsys.api.training_part import training_part
from recsys.cli.configuration import NO_TRAINING, training_of
from recsys.cli.model_choices import ModelChoice
from recsys.data.id_types import IdTypes
from recsys.data.interactions import IndexArray
from recsys.errors import ModelError, SettingsError
from recsys.runtime.recommendation import Recommender

if TYPE_CHECKING:
    from recsys.api.data_split import DataSplit, SplitPart
    from recsys.api.report import Report

#: Settings that every model has, and their defaults; None: what suits the model.
COMMON: Mapping[str, Any] = {
    "seed": 42,
    "training": None,
    "epochs": None,
    "batch_size": None,
    "learning_rate": None,
    "patience": None,
    "exclude_seen": True,
    "weight_transform": "none",
    "overrides": None,
}

#: Those of training by gradient steps, and their keys in a configuration.
_GRADIENT_KEYS = {
    "epochs": "trainer.max_epochs",
    "batch_size": "training.batch_size",
    "learning_rate": "training.optimizer.lr",
    "patience": "fitting.patience",
}

#: Settings that only models have that learn by gradient steps.
_OF_GRADIENT_STEPS = ("training", *_GRADIENT_KEYS)

#: Divides the parts of a nested setting: ``recency__step_decay``.


class Estimator(FrameRecommender):
    """Base of the models of the framework, which are made from their configurations.

    Args:
        settings: of the model, as its file in ``configs/model`` has them, and those of :data:`COMMON`. A setting inside
            another one is written ``recency__step_decay=0.9``, the choice of a group by its name: ``encoder="mean"``.

    Raises:
        SettingsError: the model has no such setting.
    """

    choice: ClassVar[ModelChoice]

    def __init__(self, **settings: Any) -> None:
        self._settings: dict[str, Any] = {}
        self._fitted: Fitted | None = None
        self.set_params(**settings)

    def set_params(self, **settings: Any) -> Self:
        """Change settings; what was fitted stays until it is fitted again.

        Raises:
            SettingsError: the model has no such setting, or a choice that there is not.
        """
        for name, value in settings.items():
            self._check_name(name)
            if name in self.choice.groups and isinstance(value, str):
                require_choice(f"model/{name}", value) if not name == "sources" else None
        self._settings.update(settings)
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All settings with their values.

        Args:
            deep: whether settings inside others are listed as well, as ``recency__step_decay``.
        """
        found = {**all_settings(self.choice), **self._settings}
        if deep:
            for name, value in list(found.items()):
                found |= {key: inner for key, inner in _inside(name, value).items() if key not in self._settings}
        return found

    @python_wording
    def fit(self, data: Dataset | DataSplit | SplitPart, *, progress: bool = True) -> Self:
        """Learn from data.

        Args:
            data: the training part of a split, whose validation part decides when gradient steps end; or a data set,
                all of which is learnt from: for as many epochs as are given, or as are found on validation first.
            progress: whether a bar is shown, in a terminal or a notebook.

        Returns:
            The model itself.

        Raises:
            RecsysError: the settings or the data do not suit the model; the message says what to change.
        """
        has_epochs = training_of(self.choice.name) != NO_TRAINING
        part = training_part(data, has_epochs, self._settings.get("epochs"))
        choices, values = self._overrides()
        config = composed("train", {**choices, "tracking": "none"}, {**part.settings, **values})
        config.split = part.split.config
        config.view = part.split.view
        for key, value in resolved_data(part.split.data).items():
            config[key] = value
        self._fitted = fit_model(config, part.split, progress)
        return self

    @property
    def is_fitted(self) -> bool:
        """Whether the model can be asked."""
        return self._fitted is not None

    @property
    def fitted(self) -> Fitted:
        """What fitting gave: the network, the data, the split, the epochs.

        Raises:
            ModelError: the model is not fitted.
        """
        if self._fitted is None:
            name = type(self).__name__
            raise ModelError(
                f"{name} has to be fitted before it is asked. Fit it: model.fit(data), or model.fit(split.train) to "
                "evaluate it afterwards."
            )
        return self._fitted

    @property
    def network(self) -> Any:
        """The model itself, a ``torch.nn.Module``.

        Raises:
            ModelError: the model is not fitted.
        """
        return self.fitted.network

    @property
    def split(self) -> DataSplit:
        """The split that the model was fitted on.

        Raises:
            ModelError: the model is not fitted.
        """
        return self.fitted.split

    def recommender(self) -> Recommender:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return self.fitted.recommender

    def id_types(self) -> IdTypes:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return self.split.data.id_types

    def user_labels(self) -> pd.Series:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return self.split.data.user_ids

    def seen_counts(self, user_ids: Sequence[str]) -> IndexArray:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        prepared = self.fitted.prepared
        index = prepared.user_vocabulary.index_of(list(user_ids))
        counts = np.bincount(prepared.interactions.user_index, minlength=prepared.schema.num_users)
        return np.where(index < 0, 0, counts[index]).astype(np.int32)

    def identity(self) -> str:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        digest = hashlib.sha256(self.fitted.prepared.schema.content_hash.encode())
        for name, tensor in self.network.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.contiguous().cpu().numpy())
        return digest.hexdigest()

    def same_for_all(self) -> bool:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return self.fitted.recommender.same_for_all

    def titles_of(self, item_ids: Sequence[str]) -> list[str]:
        """See :class:`recsys.api.frame_recommender.FrameRecommender`."""
        return self.split.data.prepared.titles_of(item_ids)

    def save(self, path: str | Path, report: Report | None = None) -> Path:
        """Write a run directory, which :func:`recsys.load_run` and the commands open.

        Args:
            path: the directory, which is not there yet.
            report: of :func:`recsys.evaluate`, whose numbers are kept with the model; None: there are none.

        Returns:
            The directory.

        Raises:
            RunError: it is there, or cannot be written.
        """
        from recsys.api.saving import save_run

        return save_run(self.fitted, Path(path), report)

    @python_wording
    def export(self, path: str | Path, **settings: Any) -> Path:
        """Write a bundle, which :func:`recsys.load_bundle` opens and the service serves without PyTorch.

        Args:
            path: the bundle's directory, which is not there yet.
            settings: of :class:`recsys.export.bundle_writing.BundleSettings`, such as ``storage="int8"``.

        Returns:
            The directory.

        Raises:
            ExportError: the extra ``serving`` is not installed, or the model cannot be served.
        """
        from recsys.api.saving import export_bundle

        return export_bundle(self.fitted, Path(path), settings)

    def __repr__(self) -> str:
        defaults = all_settings(self.choice)
        changed = {name: value for name, value in self._settings.items() if (name, value) not in defaults.items()}
        told = ", ".join(f"{name}={value!r}" for name, value in changed.items())
        return f"{type(self).__name__}({told})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_fitted": None if self._fitted is None else self._fitted.without_recommender()}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = type(self)(**copy.deepcopy(self._settings, memo))
        other._fitted = self._fitted
        return other

    def _check_name(self, name: str) -> None:
        first = name.partition(NESTED)[0]
        names = list(all_settings(self.choice))
        if first in _OF_GRADIENT_STEPS and first not in names:
            raise SettingsError(
                f"{type(self).__name__} is fitted at once, without gradient steps, so it has no setting {first!r}. "
                "Leave it out."
            )
        if first not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(
                f"{type(self).__name__} has no setting {name!r}; it has {', '.join(names)}.{hint} Any setting of a "
                'training is set by its key: overrides={"training.optimizer.weight_decay": 0.1}.'
            )

    def _overrides(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings as choices of groups and as values by their keys."""
        choices: dict[str, Any] = {"model": self.choice.name, "name": type(self).__name__}
        choices["seed"] = COMMON["seed"]
        values: dict[str, Any] = {}
        for name, value in self._settings.items():
            if name in self.choice.groups and isinstance(value, str | list | tuple):
                choices[f"model/{name}"] = value
            elif name.partition(NESTED)[0] in self.choice.own:
                values[f"model.{name.replace(NESTED, '.')}"] = value
            elif name == "overrides":
                values |= {} if value is None else dict(value)
            elif value is not None:
                target = choices if is_group(name) or name == "seed" else values
                target[_GRADIENT_KEYS.get(name, name)] = value
        return choices, values


def all_settings(choice: ModelChoice) -> dict[str, Any]:
    """The settings of a model with their defaults: its own, then those that all have or all of its kind."""
    by_steps = training_of(choice.name) != NO_TRAINING
    common = {name: value for name, value in COMMON.items() if by_steps or name not in _OF_GRADIENT_STEPS}
    return {**choice.own, **{name: value for name, value in common.items() if name not in choice.own}}


def _inside(name: str, value: Any) -> dict[str, Any]:
    """The settings inside a setting, at any depth, by their nested names."""
    found: dict[str, Any] = {}
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not str(key).startswith("_"):
                nested = f"{name}{NESTED}{key}"
                found |= {nested: inner, **_inside(nested, inner)}
    return found
