"""Recommend unseen items to one user: ``python scripts/recommend.py run=DIR user=196 k=10``.

A user who was not in training tells what they have seen, oldest first, by the item ids of the data:
``python scripts/recommend.py run=DIR history=[50,172,1] ratings=[5,3,4]``. Rules and diversity shape the list:
``'only={genres: [Drama]}' diversity=mmr``. With ``explain=true`` each title is followed by what its score comes from.
Models that read columns of users are told of them by ``'user_features={age: 24}'``, in place of what the data have.
"""

from __future__ import annotations

from collections.abc import Mapping

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from recsys.cli.command_line import id_as_written, ids_as_written, parse_user_features
from recsys.cli.configuration import config_command
from recsys.cli.console import console, user_errors
from recsys.errors import RecsysError
from recsys.recommendation.explanations import explain_list
from recsys.recommendation.list_options import ListOptions
from recsys.recommendation.model_recommender import Answer, own_list, popular_list
from recsys.recommendation.model_stages import query_of
from recsys.recommendation.new_user import NewUser, folding_in, min_rating_of_history
from recsys.recommendation.request_batches import anonymous_request, request_of_new_user, request_of_user, with_features
from recsys.reporting.explanation_table import explained_table
from recsys.reporting.run_report import recommendation_table
from recsys.retrieval.request_batch import RequestBatch
from recsys.runs.trained_run import TrainedRun, open_run
from recsys.runtime.user_features import FeatureValue


@config_command("recommend")
def main(config: DictConfig) -> None:
    """Print titles and scores; the popular list, with a message, for a user of whom nothing is known."""
    with user_errors():
        told = parse_user_features(config.user_features)
        if config.user is not None and config.history is not None:
            raise RecsysError(f"{_WHO}; both came.")
        if config.user is None and config.history is None and not told:
            raise RecsysError(f"{_WHO}; neither came.")
        if config.ratings is not None and config.history is None:
            raise RecsysError("ratings belong to the items of history=[ID,ID,...]. Give both, or leave ratings out.")
        run = open_run(config.run)
        wishes = ListOptions(
            exclude_items=() if config.exclude_items is None else _ids("exclude_items", config, run),
            only=config.only,
            without=config.without,
            between=config.between,
            diversity=config.diversity,
            diversity_weight=config.diversity_weight,
            content=config.content,
            num_candidates=config.num_candidates,
        )
        (_for_stranger if config.user is None else _for_user)(run, config, wishes, told)


def _for_user(run: TrainedRun, config: DictConfig, wishes: ListOptions, told: Mapping[str, FeatureValue]) -> None:
    user_id = id_as_written("user", config.user, HydraConfig.get().overrides.task)
    user = int(run.prepared.user_vocabulary.index_of([user_id])[0])
    if user >= 0:
        request = request_of_user(user, run.prepared, min_rating_of_history(run.model, run.prepared))
        _show_own(run, config, wishes, request, told, f"For user {user_id}")
        return
    if told:
        message = f"User {user_id} is not in the data that {config.run} was trained on. {_IDS_ARE_TEXT}"
        console.print(message, markup=False)
        _for_stranger(run, config, wishes, told)
        return
    reason = f"User {user_id} is not in the data that {config.run} was trained on, so nothing is known of them"
    reason = f"{reason}: here is what is popular. {_IDS_ARE_TEXT}"
    request = anonymous_request()
    _show(run, config, popular_list(request, wishes, config.k, run.prepared, reason), request)


def _for_stranger(run: TrainedRun, config: DictConfig, wishes: ListOptions, told: Mapping[str, FeatureValue]) -> None:
    min_rating = min_rating_of_history(run.model, run.prepared)
    request, known = anonymous_request(), "these features"
    if config.history is not None:
        user = NewUser.from_ids(_ids("history", config, run), config.ratings, run.prepared, min_rating)
        request, known = request_of_new_user(user), "this history"
    folding_in(run.model)
    _show_own(run, config, wishes, request, told, f"For a new user with {known}")


def _show_own(
    run: TrainedRun,
    config: DictConfig,
    wishes: ListOptions,
    request: RequestBatch,
    told: Mapping[str, FeatureValue],
    heading: str,
) -> None:
    request, unknown = with_features(request, run.model, run.prepared, told)
    if unknown:
        console.print(f"Not in the data, and without effect: {', '.join(unknown)}.", markup=False)
    _show(run, config, own_list(run.model, request, wishes, config.k, run.prepared), request, heading)


def _show(run: TrainedRun, config: DictConfig, answer: Answer, request: RequestBatch, heading: str = "") -> None:
    for note in answer.notes:
        console.print(note, markup=False)
    if not answer.personalized:
        heading = f"Most popular (score: interactions in {run.prepared.schema.name})"
    if config.explain and answer.personalized:
        reasons = explain_list(run.model, run.prepared, query_of(request), answer.items, answer.scores)
        console.print(explained_table(run.prepared, heading, reasons))
    else:
        console.print(recommendation_table(run.prepared, heading, answer.items, answer.scores))


def _ids(name: str, config: DictConfig, run: TrainedRun) -> list[str]:
    """Item ids as they were written; those that are not in the data are named."""
    ids = ids_as_written(name, config[name], HydraConfig.get().overrides.task)
    indices = run.prepared.item_vocabulary.index_of(ids).tolist()
    if unknown := dict.fromkeys(text for text, index in zip(ids, indices, strict=True) if index < 0):
        message = f"Not in the data that {config.run} was trained on, and left out: {', '.join(unknown)}."
        console.print(f"{message} {_IDS_ARE_TEXT}", markup=False)
    return ids


_WHO = (
    "Give either user=ID for a user of the data, or history=[ID,ID,...] or user_features={COLUMN: VALUE} for one who "
    "was not in training"
)
_IDS_ARE_TEXT = "Ids are compared as text, leading zeros included."

if __name__ == "__main__":
    main()
