"""Items like another one, by the model and by content: ``python scripts/similar.py run=DIR item=50 k=10``."""

from __future__ import annotations

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from recsys.cli.command_line import id_as_written
from recsys.cli.configuration import config_command
from recsys.cli.console import console, user_errors
from recsys.recommendation.new_user import min_rating_of_history
from recsys.recommendation.similar_items import collaborative_neighbours, content_neighbours
from recsys.reporting.similar_items_table import neighbours_table
from recsys.runs.trained_run import open_run


@config_command("similar")
def main(config: DictConfig) -> None:
    """Print two lists side by side."""
    with user_errors():
        run = open_run(config.run)
        item_id = id_as_written("item", config.item, HydraConfig.get().overrides.task)
        item = run.prepared.item_vocabulary.index(item_id)
        known = run.prepared.interactions
        known = known.take(known.rows_rated_at_least(min_rating_of_history(run.model, run.prepared)))
        by_model = collaborative_neighbours(run.model, known, item, config.k)
        by_content = content_neighbours(run.prepared, item, config.k)
        console.print(neighbours_table(run.prepared, item, by_model, by_content))


if __name__ == "__main__":
    main()
