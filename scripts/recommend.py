"""Recommend unseen items to one user: ``python scripts/recommend.py run=DIR user=196 k=10``.

``bundle=DIR`` asks a bundle in place of a run. A user who was not in training tells what they have seen, oldest first,
by the item ids of the data: ``history=[50,172,1] ratings=[5,3,4]``. Filters and diversity shape the list:
``'filters={genres: {any_of: [Drama]}}' diversity=mmr``. With ``explain=true`` each title is followed by what its score
comes from. Models that read columns of users are given them by ``'user_features={age: 24}'``, in place of what the data
have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from recsys.runs.opened_recommender import OpenedRecommender
    from recsys.runtime.request import RecommendationRequest


@config_command("recommend")
def main(config: DictConfig) -> None:
    """Print titles and scores; the popular list, with a message, for a user of whom nothing is known."""
    from hydra.core.hydra_config import HydraConfig

    from recsys.cli.command_line import request_arguments
    from recsys.runs.opened_recommender import open_recommender
    from recsys.runtime.request import RecommendationRequest

    request = RecommendationRequest(**request_arguments(config, HydraConfig.get().overrides.task))
    opened = open_recommender(config.run, config.bundle, config.num_candidates, popular_days=config.popular_days)
    show(opened, request)


def show(opened: OpenedRecommender, request: RecommendationRequest) -> None:
    """Answer one request and print the answer."""
    from recsys.cli.console import console
    from recsys.reporting.explanation_table import explanation_table
    from recsys.reporting.recommendation_table import recommendation_table

    recommendation = opened.recommender.recommend_one(request)
    for note in recommendation.notes:
        console.print(note)
    heading = "For a new user" if request.user_id is None else f"For user {request.user_id}"
    if not recommendation.personalized:
        heading = f"Most popular (score: {opened.counted})"
    table = recommendation_table if recommendation.explanations is None else explanation_table
    console.print(table(opened.titles_of, heading, recommendation))


if __name__ == "__main__":
    main()
