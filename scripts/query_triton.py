"""Ask a Triton server for recommendations: ``python scripts/query_triton.py user=196 k=10``.

It takes what ``scripts/recommend.py`` takes: a history, ``history=[50,172,1] ratings=[5,3,4]``, columns of the user,
``'user_features={age: 24}'``, filters, ``'filters={genres: {any_of: [Drama]}}'``, ``diversity=mmr``, ``explain=true``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recsys.cli.command import config_command
from recsys.cli.commands import command_line
from recsys.errors import ServingError

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("query_triton")
def main(config: DictConfig) -> None:
    """Print titles and scores; the popular list, with a message, for a user of whom nothing is known."""
    from hydra.core.hydra_config import HydraConfig
    from recsys_serving.triton.client import TritonRecommender
    from recsys_serving.triton.served_titles import served_count, served_titles

    from recsys.cli.command_line import request_arguments
    from recsys.cli.console import console
    from recsys.reporting.explanation_table import explanation_table
    from recsys.reporting.recommendation_table import recommendation_table
    from recsys.runtime.request import RecommendationRequest

    request = RecommendationRequest(**request_arguments(config, HydraConfig.get().overrides.task))
    url, repository = _server(config)
    with TritonRecommender(url, config.protocol) as recommender:
        recommendation = recommender.recommend_one(request)
    for note in recommendation.notes:
        console.print(note)
    heading = "For a new user" if request.user_id is None else f"For user {request.user_id}"
    if not recommendation.personalized:
        heading = f"Most popular (score: {served_count(repository, recommendation.model_version)})"
    table = recommendation_table if recommendation.explanations is None else explanation_table
    titles_of = served_titles(repository, recommendation.model_version)
    console.print(table(titles_of, heading, recommendation))
    console.print(f"version {recommendation.model_version}")


def _server(config: DictConfig) -> tuple[str, Path | None]:
    """The address of the server, and its models where they are known.

    Raises:
        ServingError: no address is named, and no server was started.
    """
    from recsys_serving.triton.state import running_server

    server = running_server(Path(config.directory))
    repository = None if config.repository is None else Path(config.repository)
    if config.url is not None:
        return config.url, repository
    if server is None:
        raise ServingError(
            f"A Triton server is required, but none was started in {config.directory}. Start one with "
            f"{command_line('triton_server')}, or name one with url=HOST:PORT."
        )
    return server.grpc_url if config.protocol == "grpc" else server.http_url, repository or Path(server.repository)


if __name__ == "__main__":
    main()
