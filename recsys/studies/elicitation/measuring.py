"""Measures ways of asking new users with one model on one data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig

from recsys.elicitation.familiarity import FamiliarityModel
from recsys.elicitation.preference_elicitation import PreferenceElicitation
from recsys.errors import ModelError, RunError
from recsys.evaluation.model_report import model_name
from recsys.models.interface.protocols import FoldsIn, PredictsRatings
from recsys.runs.assembly import build_data, build_model, build_split, build_view
from recsys.runs.study_fit import check_study_refit, fit_in_study, measured_split
from recsys.studies.elicitation.simulation import (
    ElicitationSimulation,
    Simulated,
    Strategy,
    at_random,
    by_answers,
    same_items,
)

POPULAR = "most popular"
RANDOM = "random"
CHOSEN = "chosen list"
STEP_BY_STEP = "chosen by the answers"
EVERYTHING = "everything given"


class ElicitationMeasurement:
    """A fitted model, and held-out users who are asked in several ways.

    Args:
        config: a resolved configuration of ``simulate_elicitation.yaml``.

    Raises:
        ModelError: the model does not fold in, or predicts ratings.
        RunError: a setting is out of range, or nothing is given of held-out users.
    """

    def __init__(self, config: DictConfig) -> None:
        self.numbers: list[int] = sorted(set(config.questions))
        if not self.numbers or self.numbers[0] < 1:
            raise RunError(f"questions must be whole numbers of at least 1, but they are {list(config.questions)}.")
        if config.stage not in ("valid", "test"):
            raise RunError(f"stage must be valid or test, but it is {config.stage}. Choose one.")
        if config.resume is not None:
            raise RunError("A simulation begins anew and cannot be resumed. Leave resume out.")
        check_study_refit(config)
        self._config = config
        self.prepared = build_data(config)
        self._build = partial(build_model, config.model, config.seed, self.prepared)
        model = self._build()
        self.model_name = model_name(model)
        if not isinstance(model, FoldsIn) or isinstance(model, PredictsRatings):
            raise ModelError(
                f"A model of likes that folds in unseen users is required to learn from answers, and {self.model_name} "
                "is none. docs/models.md says which are."
            )
        self._view = build_view(config, self.prepared, model)
        self._apart = build_split(config, self._view.interactions, refit=False)
        self._split = measured_split(config, self._apart)
        if len(self._split.valid_fold_in if config.stage == "valid" else self._split.test_fold_in) == 0:
            raise RunError("Something must be given of held-out users, for them to know. Use split=cold_users.")

    def results(self, print_line: Callable[[str], None]) -> Iterator[Simulated]:
        """Fit, and ask in each way; the most popular items first, to which the others are compared.

        Args:
            print_line: receives a line for each epoch of a model that is trained in epochs.
        """
        config, split = self._config, self._split
        model, _ = fit_in_study(config, self._view, self._apart, self._build, print_line)
        train = self._view.interactions.take(split.train)
        simulation = ElicitationSimulation(
            self._view.interactions,
            split,
            config.stage,
            model.cpu().eval(),
            instantiate(config.evaluation),
            config.k,
        )
        familiarity = FamiliarityModel.from_interactions(train, config.num_components, config.seed)
        most = max(self.numbers)
        ways: dict[str, Strategy] = {
            POPULAR: same_items(np.argsort(-familiarity.shares, kind="stable")[:most].tolist()),
            RANDOM: at_random(np.flatnonzero(familiarity.shares > 0), config.seed),
            CHOSEN: same_items(PreferenceElicitation(familiarity).shortlist(most)),
            STEP_BY_STEP: by_answers(familiarity),
        }
        for name, strategy in ways.items():
            yield from simulation.run(name, strategy, self.numbers)
        yield simulation.with_all(EVERYTHING)
