"""Items like another one, by the model and by content: ``python scripts/similar.py run=DIR item=50 k=10``.

``bundle=DIR`` asks a bundle in place of a run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig


@config_command("similar")
def main(config: DictConfig) -> None:
    """Print two lists side by side."""
    from hydra.core.hydra_config import HydraConfig

    from recsys.cli.command_line import id_as_written
    from recsys.cli.console import console
    from recsys.reporting.similar_items_table import similar_items_table
    from recsys.runs.opened_recommender import open_recommender

    opened = open_recommender(config.run, config.bundle)
    item_id = id_as_written("item", config.item, HydraConfig.get().overrides.task)
    lists = {
        "by the model": opened.recommender.similar([item_id], config.k, by="model")[0],
        "by content": opened.recommender.similar([item_id], config.k, by="content")[0],
    }
    console.print(similar_items_table(opened.titles_of, item_id, lists))


if __name__ == "__main__":
    main()
