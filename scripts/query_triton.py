"""Ask a Triton server for recommendations: ``python scripts/query_triton.py user=196 k=10``.

For anyone else the history is told, oldest first: ``python scripts/query_triton.py history=[50,172,1]``, and columns of
the user, where the models read any: ``'user_features={age: 24}'``.
"""

from __future__ import annotations

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from recsys_serving.triton.client import TritonRecommender
from recsys_serving.triton.recommendation_table import answer_table
from recsys_serving.triton.state import running_server

from recsys.cli.command_line import id_as_written, ids_as_written, parse_user_features
from recsys.cli.commands import command_line
from recsys.cli.configuration import config_command
from recsys.cli.console import console
from recsys.errors import ServingError
from recsys.runtime.request import RecommendationRequest


@config_command("query_triton")
def main(config: DictConfig) -> None:
    """Print titles and scores; the popular list for a user of whom nothing is known."""
    server = running_server(Path(config.directory))
    if config.url is None and server is None:
        raise ServingError(
            f"A Triton server is required, but none was started in {config.directory}. Start one with "
            f"{command_line('triton_server')}, or name one with url=HOST:PORT."
        )
    url, repository = config.url, config.repository
    if server is not None and url is None:
        url = server.grpc_url if config.protocol == "grpc" else server.http_url
        repository = repository or server.repository
    user = None if config.user is None else id_as_written("user", config.user, HydraConfig.get().overrides.task)
    asked = RecommendationRequest(
        user_id=user,
        history=None if config.history is None else _ids("history", config),
        ratings=None if config.ratings is None else list(config.ratings),
        user_features=parse_user_features(config.user_features),
        k=config.k,
        exclude_items=() if config.exclude_items is None else _ids("exclude_items", config),
    )
    with TritonRecommender(url, config.protocol) as recommender:
        answer = recommender.recommend(asked)
    if not answer.item_ids:
        console.print("Nothing is left to recommend: every item was seen or is blocked.")
    known = "these features" if asked.history is None else "this history"
    whose = f"For {known}" if user is None else f"For user {user}"
    heading = whose if answer.personalized else "Most popular (score: interactions in the data)"
    console.print(answer_table(answer, heading, None if repository is None else Path(repository)))
    console.print(f"version {answer.version}", highlight=False)


def _ids(name: str, config: DictConfig) -> list[str]:
    return ids_as_written(name, config[name], HydraConfig.get().overrides.task)


if __name__ == "__main__":
    main()
