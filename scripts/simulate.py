"""Users of known taste visit the service: ``python scripts/simulate.py visits=5000``.

Each asks for a list, clicks and rates what they like, and tells the service. What they like is known here alone, so
the table in the end says how good the lists truly are, by bundle and variant. Without ``url`` it is the service that
``make serve`` started.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from recsys.cli.command import config_command

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from recsys_serving.client.service_client import ServiceClient


@config_command("simulate")
def main(config: DictConfig) -> None:
    """Visit the service, and print what came of it."""
    from pathlib import Path

    from recsys.cli.console import console
    from recsys.cli.process.extras import require_libraries
    from recsys.cli.progress import progress
    from recsys.studies.simulation.click_model import ClickModel
    from recsys.studies.simulation.driving import DrivingSettings, Simulation
    from recsys.studies.simulation.summary import summarise, summary_table
    from recsys.studies.simulation.taste import TasteModel, TasteSettings

    require_libraries("httpx", "fastapi")
    from recsys_serving.client.connecting import connect
    from recsys_serving.settings import read_settings

    taste_settings = TasteSettings(**config.taste)
    click_model = ClickModel(**config.click_model)
    settings = DrivingSettings(
        seed=config.seed,
        num_users=config.users,
        num_visits=config.visits,
        k=config.k,
        own_share=config.own_share,
        batch=config.batch,
        threads=config.threads,
        visits_per_second=config.visits_per_second,
    )
    client = connect(read_settings().var if config.var is None else Path(config.var), config.url, config.key)
    try:
        taste = TasteModel(_columns_of_items(client), taste_settings)
        console.print(f"{len(taste.item_ids):,} items, {settings.num_users:,} users, {settings.num_visits:,} visits")
        begin = time.monotonic()
        with progress.bar("visits", settings.num_visits) as bar:
            visits = Simulation(client, taste, click_model, settings).run(bar.advance)
        seconds = time.monotonic() - begin
    finally:
        client.close()
    console.print(summary_table(visits))
    found = summarise(visits)
    console.print(f"{found.num_visits:,} lists in {seconds:.0f} s, {found.num_visits / seconds:.0f} a second")
    console.print(
        f"true utility: {found.utility:.4f} (random lists {found.random:.4f}, the best {found.best:.4f}), "
        f"click rate: {found.click_rate:.4f}"
    )


def _columns_of_items(client: ServiceClient) -> dict[str, dict[str, Any]]:
    """The columns of each item of the catalogue."""
    return {item["item_id"]: item["metadata"] for item in client.items()}


if __name__ == "__main__":
    main()
